import { randomBytes, randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { AgentHost } from '../../daemon/mcp/agentHost.ts';
import { httpLimits, openHttp, type HttpServerOptions } from '../../daemon/mcp/httpServer.ts';
import { agentOverHttp, agentOverStdio, type BenchAgent } from '../agentClients.ts';
import { resolved } from '../asked.ts';
import type { BenchServer } from '../benchServer.ts';
import { interleave } from '../harness.ts';
import { agentAddress, environmentOf, registrar, runNode } from '../installation.ts';
import type { Question, Timing } from '../result.ts';
import { selectOne } from './explicit.ts';

const plan = { rounds: 250, perRound: 4, warmUp: 200 };

/** What an agent waits for: the endpoint beside a tool that does nothing, and the forwarder beside the endpoint. */
export const agents: Question = {
  name: 'agents',
  async ask(server) {
    return [...(await endpointAlone(server)), await forwarding(server)];
  },
};

/** Both endpoints in this process, so that they differ in nothing but the tool. */
async function endpointAlone(server: BenchServer): Promise<Timing[]> {
  const registry = 'registry_agents';
  const engine = await server.engine(registry);
  const directory = await server.workspace({ name: 'of an agent' });
  // Makes the registry and the project.
  const { id } = await resolved(engine.resolve({ directory }));
  const pool = server.pool(registry);
  const host = agentHost(server, engine);
  const product = await served((request, response, body) => host.handle(request, response, body));
  const empty = await served(emptyServer());
  try {
    const { nothing, roundTrip, byId, byDirectory } = await interleave(
      [
        { name: 'nothing', run: () => empty.agent.call('nothing') },
        { name: 'roundTrip', run: () => selectOne(pool) },
        { name: 'byId', run: () => resolvedBy(product.agent, { project: id }) },
        { name: 'byDirectory', run: () => resolvedBy(product.agent, { directory }) },
      ],
      plan,
    );
    const timing = {
      kind: 'timing',
      floor: 'an empty tool of such a server; the target is 1.5 × this and one `SELECT 1`',
      floorFigures: nothing,
      target: rounded(1.5 + roundTrip.median / nothing.median),
      because: partByPart,
    } as const;
    return [
      { ...timing, what: '`resolve_project` over HTTP, by id', figures: byId },
      { ...timing, what: '`resolve_project` over HTTP, by directory', figures: byDirectory },
    ];
  } finally {
    await host.close();
    await product.close();
    await empty.close();
  }
}

/** The endpoint as a daemon opens it, over this engine. */
export function agentHost({ home }: BenchServer, engine: Awaited<ReturnType<BenchServer['engine']>>): AgentHost {
  return new AgentHost({
    version: 'bench',
    home,
    use: (_access, _onProgress, run) => run(engine),
    running: (work) => work(),
    tools: () => 'standard',
    rootsLimitMs: 2000,
    onChanged: () => undefined,
    onFault,
  });
}

/** Measured part by part, by the fastest tenth of each, shares of the empty tool. */
const partByPart =
  'the endpoint adds nothing that could be measured to the library: with an engine that answers at once the call takes as long as the empty tool. Resolving alone takes 0.6 × by id and 0.85 × by directory; tier 1 and tier 2 above say of what. The rest, 0.5 to 0.7 ×, was not taken apart: it is there only when the answer has to be waited for.';

/** The daemon as it is built, asked by the same call on both ways. */
async function forwarding(server: BenchServer): Promise<Timing> {
  const stateFolder = await server.stateFolder();
  const env = environmentOf(stateFolder, server.url('registry_forwarding'));
  const directory = await server.workspace({ name: 'of a forwarded agent' });
  try {
    await runNode(env, registrar, 'resolve', '--directory', directory);
    const direct = await agentOverHttp(await agentAddress(stateFolder));
    const forwarded = await agentOverStdio([registrar, 'mcp', '--directory', directory], env);
    const { overHttp, overStdio } = await interleave(
      [
        { name: 'overHttp', run: () => resolvedBy(direct, { directory }) },
        { name: 'overStdio', run: () => resolvedBy(forwarded, { directory }) },
      ],
      plan,
    );
    await Promise.all([direct.close(), forwarded.close()]);
    return {
      kind: 'timing',
      what: '`resolve_project` over `registrar mcp`',
      figures: overStdio,
      floor: 'the same over HTTP, asked of the same daemon; the target is 1 ms more',
      floorFigures: overHttp,
      target: rounded(1 + 1 / overHttp.median),
    };
  } finally {
    await runNode(env, registrar, 'stop');
  }
}

/** An endpoint with an agent that has begun there. */
export async function served(
  onRequest: HttpServerOptions['onRequest'],
): Promise<{ endpoint: { url: string; token: string }; agent: BenchAgent; close(): Promise<void> }> {
  const token = randomBytes(32).toString('hex');
  const http = await openHttp({ preferredPort: null, token: () => token, limits: httpLimits, onRequest, onFault });
  const endpoint = { url: `http://127.0.0.1:${http.port}/mcp`, token };
  const agent = await agentOverHttp(endpoint);
  return {
    endpoint,
    agent,
    async close() {
      await agent.close();
      await http.close();
    },
  };
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

export async function resolvedBy(agent: BenchAgent, args: Record<string, unknown>): Promise<void> {
  const { outcome, stale } = await agent.call('resolve_project', args);
  if (outcome !== 'resolved' || stale === true) throw new Error(`nothing was resolved: ${String(outcome)}`);
}

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}

function onFault(error: unknown): void {
  console.error(error);
}
