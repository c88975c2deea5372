import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { InitializeRequestSchema, isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { AgentPort } from '../agentPort.ts';
import { AgentSession } from '../agentSession.ts';
import { headerDirectory } from '../bindings.ts';
import { bare } from './httpServer.ts';
import { serveAgent, type ServedAgent } from '../serveAgent.ts';
import { ServedAgents } from '../servedAgents.ts';

export interface SessionLimits {
  sessions: number;
  /** Of one client, as it names itself. */
  sessionsOfClient: number;
  /** A session that nobody has used for this long ends; its client then starts a new one, ms. */
  idleMs: number;
  /** Requests of one session that may be under way at once, a stream that is kept open among them. */
  requestsAtOnce: number;
}

export const sessionLimits: SessionLimits = {
  sessions: 100,
  sessionsOfClient: 50,
  idleMs: 2 * 60 * 60_000,
  requestsAtOnce: 64,
};

interface HttpSession {
  client: string;
  agent: AgentSession;
  transport: StreamableHTTPServerTransport;
  served: ServedAgent;
  requests: number;
}

/** The sessions of agents over HTTP. An unknown session is 404, and the client starts over. */
export class HttpSessions {
  readonly #port: AgentPort;
  readonly #limits: SessionLimits;
  readonly #sessions = new ServedAgents<string, HttpSession>();

  constructor(port: AgentPort, limits: SessionLimits) {
    this.#port = port;
    this.#limits = limits;
  }

  agents(): AgentSession[] {
    return this.#sessions.agents();
  }

  /** @param body what was posted, undefined for other methods */
  async handle(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const id = request.headers['mcp-session-id'];
    if (id === undefined) {
      // Anything else would leave a session behind for every probe.
      if (isInitializeRequest(body)) await this.#begin(request, response, body);
      else bare(response, 400);
      return;
    }
    const session = typeof id === 'string' ? this.#sessions.get(id) : undefined;
    if (!session) {
      bare(response, 404);
      return;
    }
    session.agent.lastSeenAt = new Date();
    if (session.requests >= this.#limits.requestsAtOnce) {
      bare(response, 429);
      return;
    }
    useFor(session, response);
    await session.transport.handleRequest(request, response, body);
  }

  toolsChanged(): void {
    this.#sessions.toolsChanged();
  }

  /** Ends sessions that nobody used; those with a request or stream under way are used. */
  endIdle(now: number): void {
    for (const [id, { agent, requests }] of this.#sessions) {
      if (requests === 0 && now - agent.lastSeenAt.getTime() > this.#limits.idleMs) void this.#end(id);
    }
  }

  /** Ends all, for example after a change of the token, so that their clients reconnect with the new one. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.#end(id)));
  }

  async #begin(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const client = clientOf(body);
    const id = randomUUID();
    const agent = new AgentSession(id, null);
    agent.directory = this.#saidDirectory(request);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.#end(id),
    });
    const served = await serveAgent(agent, transport, this.#port);
    // Only now, so that sessions which begin at the same time count each other.
    if (!this.#makeRoom(client)) {
      bare(response, 429);
      await served.close();
      return;
    }
    const session: HttpSession = { client, agent, transport, served, requests: 0 };
    this.#sessions.set(id, session);
    useFor(session, response);
    await transport.handleRequest(request, response, body);
    // A request that the transport refused made no session.
    if (transport.sessionId === undefined) await this.#end(id);
  }

  /** Where people see the agent until it asks for something. What is wrong with the header is said to whoever does. */
  #saidDirectory({ headers }: IncomingMessage): string | null {
    const header = headers['x-registrar-directory'];
    try {
      return typeof header === 'string' && header !== '' ? headerDirectory(header, this.#port.home) : null;
    } catch {
      return null;
    }
  }

  /**
   * Of the client that begins another when it has all that it may have, else of the one that has the most, the session that
   * was not used for longest goes: many clients never say that they end one. A session with a request or stream under way is
   * used; where there are no others, false is given.
   */
  #makeRoom(client: string): boolean {
    const count = new Map<string, number>();
    for (const session of this.#sessions.values()) count.set(session.client, (count.get(session.client) ?? 0) + 1);
    const isFull = (count.get(client) ?? 0) >= this.#limits.sessionsOfClient;
    if (!isFull && this.#sessions.size < this.#limits.sessions) return true;
    const [unused] = [...this.#sessions]
      .filter(([, session]) => session.requests === 0 && (!isFull || session.client === client))
      .sort(
        ([, one], [, other]) =>
          (count.get(other.client) ?? 0) - (count.get(one.client) ?? 0) ||
          one.agent.lastSeenAt.getTime() - other.agent.lastSeenAt.getTime(),
      );
    if (!unused) return false;
    void this.#end(unused[0]);
    return true;
  }

  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    this.#port.onChanged();
    await session.served.close().catch(this.#port.onFault);
  }
}

/** A session is in use until the response is sent or its client has gone. */
function useFor(session: HttpSession, response: ServerResponse): void {
  session.requests += 1;
  response.once('close', () => {
    session.requests -= 1;
    session.agent.lastSeenAt = new Date();
  });
}

/** Its name and version; the token is the same for all. */
function clientOf(body: unknown): string {
  const { data } = InitializeRequestSchema.safeParse(body);
  return data ? JSON.stringify([data.params.clientInfo.name, data.params.clientInfo.version]) : '';
}
