import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { DaemonStatus } from '../protocol/control.ts';
import type { AgentPort } from './agentPort.ts';
import type { Launch } from './bindings.ts';
import { HttpSessions, sessionLimits, type SessionLimits } from './http/httpSessions.ts';
import { PipeSessions } from './pipeSessions.ts';

/** Every agent of this daemon, however it connected. */
export class AgentHost {
  readonly #http: HttpSessions;
  readonly #pipes: PipeSessions;
  readonly #running: AgentPort['running'];
  readonly #sweep: NodeJS.Timeout;

  constructor(port: AgentPort, limits: SessionLimits = sessionLimits) {
    this.#http = new HttpSessions(port, limits);
    this.#pipes = new PipeSessions(port);
    this.#running = port.running;
    this.#sweep = setInterval(() => {
      this.endIdleSessions(Date.now());
    }, sweepEveryMs);
    this.#sweep.unref();
  }

  /** Latest first. */
  agents(): DaemonStatus['agents'] {
    return [...this.#http.agents(), ...this.#pipes.agents()]
      .filter(({ name }) => name !== '')
      .sort((one, other) => other.lastSeenAt.getTime() - one.lastSeenAt.getTime())
      .map(({ name, directory, lastSeenAt }) => ({ name, directory, lastSeenAt: lastSeenAt.toISOString() }));
  }

  async handle(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    if (request.method !== 'POST') {
      await this.#http.handle(request, response, body);
      return;
    }
    // Until the answer has been sent; shutting down does not wait for streams that stay open.
    await this.#running(async () => {
      const sent = once(response, 'close');
      await this.#http.handle(request, response, body);
      await sent;
    });
  }

  attach(socket: Socket, launch: Launch | null): Promise<void> {
    return this.#pipes.attach(socket, launch);
  }

  /** The setting for tools has changed. */
  toolsChanged(): void {
    this.#http.toolsChanged();
    this.#pipes.toolsChanged();
  }

  /** @param now ms since 1970 */
  endIdleSessions(now: number): void {
    this.#http.endIdle(now);
  }

  /** The token has changed. */
  endHttpSessions(): Promise<void> {
    return this.#http.close();
  }

  /** Begins nothing new from forwarders; when it settles, everything that was already read has begun. */
  async pause(): Promise<void> {
    this.#pipes.pause();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    // Answers are written some ticks after their calls are done.
    await new Promise((resolve) => setImmediate(resolve));
    this.#pipes.close();
    await this.#http.close();
  }
}

const sweepEveryMs = 60_000;
