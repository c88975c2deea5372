import { randomBytes, randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Engine } from '../daemon/engine/engine.ts';
import { AgentHost } from '../daemon/mcp/agentHost.ts';
import { httpLimits, openHttp, type HttpServerOptions } from '../daemon/mcp/http/httpServer.ts';
import { toolList } from '../daemon/mcp/tools/toolList.ts';
import type { Tool } from '../daemon/mcp/tools/toolModel.ts';

export interface Endpoint {
  url: string;
  token: string;
}

/** What `agentServer.ts` is told, in the environment: the address holds a password. */
export const optionsVariable = 'REGISTRAR_BENCH_AGENT_SERVER';

export interface AgentServerOptions {
  url: string;
  stateFolder: string;
  home: string;
  /** A workspace whose project is made. */
  directory: string;
}

/** What it answers. */
export interface AgentServerEnds {
  /** The endpoint with more tools: `nothing`; `select_one` and `look_once`, which ask PostgreSQL that, or tier 1’s statement. */
  product: Endpoint;
  /** The protocol's library with the tool `nothing`. */
  bare: Endpoint;
  projectId: string;
}

/** The endpoint as a daemon opens it, over this engine. */
export function agentHost(home: string, engine: Engine, tools: readonly Tool[] = toolList('standard')): AgentHost {
  return new AgentHost({
    version: 'bench',
    home,
    use: (_access, _onProgress, run) => run(engine),
    running: (work) => work(),
    tools: () => tools,
    rootsLimitMs: 2000,
    onChanged: () => undefined,
    onFault,
  });
}

/** Serves requests at an address with a token. */
export async function served(
  onRequest: HttpServerOptions['onRequest'],
): Promise<Endpoint & { close(): Promise<void> }> {
  const token = randomBytes(32).toString('hex');
  const http = await openHttp({ preferredPort: null, token: () => token, limits: httpLimits, onRequest, onFault });
  return { url: `http://127.0.0.1:${http.port}/mcp`, token, close: () => http.close() };
}

/** The least that a server of the protocol's library does for a call, with a session for whoever begins one. */
export function emptyServer(): HttpServerOptions['onRequest'] {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response, body) => {
    const session = sessions.get(String(request.headers['mcp-session-id'])) ?? (await emptySession(sessions));
    await session.handleRequest(request, response, body);
  };
}

async function emptySession(
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const server = new McpServer({ name: 'empty', version: '1' });
  server.registerTool('nothing', {}, () => ({ content: [] }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  await server.connect(transport);
  return transport;
}

function onFault(error: unknown): void {
  console.error(error);
}
