import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { leavingLine } from '../protocol/agentStream.ts';
import { maxMessageBytes } from '../protocol/control.ts';
import type { AgentPort } from './agentPort.ts';
import { AgentSession } from './agentSession.ts';
import type { Launch } from './bindings.ts';
import { serveAgent, type ServedAgent } from './serveAgent.ts';
import { ServedAgents } from './servedAgents.ts';

/** The agents that come through a forwarder: one connection each, which carries messages line by line. */
export class PipeSessions {
  readonly #port: AgentPort;
  readonly #sessions = new ServedAgents<Socket, { agent: AgentSession; served: ServedAgent }>();
  #isPaused = false;

  constructor(port: AgentPort) {
    this.#port = port;
  }

  agents(): AgentSession[] {
    return this.#sessions.agents();
  }

  /** @param socket of a client that has proved itself, and waits for nothing on it but this protocol */
  async attach(socket: Socket, launch: Launch | null): Promise<void> {
    const agent = new AgentSession(randomUUID(), launch);
    const transport = new StdioServerTransport(socket, socket, { maxBufferSize: maxMessageBytes });
    const served = await serveAgent(agent, transport, this.#port);
    this.#sessions.set(socket, { agent, served });
    const end = (): void => {
      this.#sessions.delete(socket);
      this.#port.onChanged();
      served.close().catch(this.#port.onFault);
    };
    if (socket.closed) end();
    else socket.once('close', end);
    // Each answer that waits to be sent listens for it.
    socket.setMaxListeners(0);
    // Requests of an agent that does not read its answers are not read: the answers would pile up here.
    socket.on('data', () => {
      if (socket.writableNeedDrain) socket.pause();
    });
    socket.on('drain', () => {
      if (!this.#isPaused) socket.resume();
    });
    // The former reader has paused it.
    socket.resume();
  }

  toolsChanged(): void {
    this.#sessions.toolsChanged();
  }

  /** Stops reading: what is not read now has not begun, and the forwarder asks the successor again. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sessions.keys()) socket.pause();
  }

  /** Says so, and ends every connection. What runs has been answered by now. */
  close(): void {
    for (const socket of this.#sessions.keys()) socket.end(leavingLine);
  }
}
