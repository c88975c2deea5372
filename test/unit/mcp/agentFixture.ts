import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { RunningCalls } from '../../../daemon/engine/runningCalls.ts';
import { AgentHost } from '../../../daemon/mcp/agentHost.ts';
import type { AgentPort } from '../../../daemon/mcp/agentPort.ts';
import { httpLimits, openHttp, type HttpEndpoint, type HttpLimits } from '../../../daemon/mcp/http/httpServer.ts';
import type { SessionLimits } from '../../../daemon/mcp/http/httpSessions.ts';
import { toolList } from '../../../daemon/mcp/tools/toolList.ts';
import { engineMethods, type RegistrarApi, type ResolveParams } from '../../../daemon/protocol/methods.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import type { AgentTools } from '../../../daemon/protocol/settings.ts';
import { answering } from '../../support/fakeOperations.ts';
import { emptySync, resolved, shop } from '../cli/fakeCli.ts';

export const token = 'ab'.repeat(32);

/** The resolution of a folder whose last part is its project's name. */
export function resolvedAs({ directory, project }: ResolveParams): Resolution {
  const name = project ?? directory?.split('/').at(-1) ?? '';
  if (name === '' || name === 'nothing') {
    const error = { code: 'UNRESOLVED' as const, message: 'no config', hint: 'Make one.' };
    return { ...resolved, outcome: 'unresolved', project: null, directory: directory ?? null, error };
  }
  return { ...resolved, directory: directory ?? null, project: { ...shop, id: `id of ${name}`, name } };
}

/** Answers at once with something; a test replaces what it is about. */
export function fakeApi(changes: Partial<RegistrarApi> = {}): RegistrarApi {
  return answering<RegistrarApi>(engineMethods, {
    server: () => ({ address: 'localhost:5432', source: 'file' }),
    resolve: async (params) => resolvedAs(params),
    listProjects: async () => ({ projects: [shop], nextCursor: null }),
    showProject: async () => shop,
    createProject: async ({ name }) => resolvedAs({ project: name }),
    updateProject: async ({ project, name }) => resolvedAs({ project: name ?? project }),
    adoptDatabase: async () => resolved,
    forgetProject: async () => ({ project: shop, databaseName: shop.databaseName }),
    dropProject: async () => ({ project: shop, databaseName: shop.databaseName }),
    remakeProject: async () => resolved,
    useProject: async ({ directory }) => resolvedAs({ directory }),
    removeBinding: async ({ directory }) => resolvedAs({ directory }),
    connection: async () => ({ resolution: resolved, environment: null }),
    describeDatabase: async (params) => ({
      resolution: resolvedAs(params),
      description: {
        databaseName: shop.databaseName,
        bytes: 8_000_000,
        tables: [],
        truncated: false,
        lastingWrites: [],
      },
    }),
    queryDatabase: async (params) => ({
      resolution: resolvedAs(params),
      result: {
        columns: [{ name: 'one', type: 'integer' }],
        rows: [[1]],
        truncated: false,
        truncatedBy: null,
        durationMs: 1,
      },
    }),
    unusedProjects: async () => ({ projects: [], sizesMissing: null }),
    listEvents: async () => ({ events: [], truncated: false, missing: null }),
    syncStatus: async () => emptySync,
    syncNow: async () => emptySync,
    drift: async () => ({ planId: 'p', ok: true, findings: [] }),
    repair: async () => ({ planId: 'p', applied: [], skipped: [], failed: [] }),
    ...changes,
  });
}

export interface ServedAgents {
  host: AgentHost;
  calls: RunningCalls;
  http: HttpEndpoint;
  url: string;
  /** Faults that were reported; none is expected. */
  faults: unknown[];
  setTools(tools: AgentTools): void;
  setToken(token: string): void;
  close(): Promise<void>;
}

/** The endpoint over a fake engine, on a port of its own. */
export async function serveAgents(
  api: Partial<RegistrarApi> = {},
  limits: { http?: Partial<HttpLimits>; sessions?: SessionLimits } = {},
): Promise<ServedAgents> {
  const engine = fakeApi(api);
  const faults: unknown[] = [];
  const calls = new RunningCalls();
  let tools: AgentTools = 'standard';
  let current = token;
  const port: AgentPort = {
    version: '1.0.0',
    home: '/home/a',
    use: async (_access, _progress, run) => run(engine),
    running: (work) => calls.run(work),
    tools: () => toolList(tools),
    // Both sides are this process, which may be held up.
    rootsLimitMs: 60_000,
    onChanged: () => undefined,
    onFault: (error) => {
      faults.push(error);
    },
  };
  const host = new AgentHost(port, limits.sessions);
  const http = await openHttp({
    preferredPort: null,
    token: () => current,
    limits: { ...httpLimits, ...limits.http },
    onRequest: (request, response, body) => host.handle(request, response, body),
    onFault: port.onFault,
  });
  return {
    host,
    calls,
    http,
    url: `http://127.0.0.1:${http.port}/mcp`,
    faults,
    setTools: (setting) => {
      tools = setting;
      host.toolsChanged();
    },
    setToken: (next) => {
      current = next;
    },
    close: async () => {
      await host.close();
      await http.close();
    },
  };
}

/** The SDK's own client, attached over HTTP. */
export async function attach(
  url: string,
  options: { headers?: Record<string, string>; roots?: () => string[] } = {},
): Promise<Client> {
  const { headers = {}, roots } = options;
  const client = new Client(
    { name: 'tester', version: '1' },
    { capabilities: roots ? { roots: { listChanged: true } } : {} },
  );
  if (roots) {
    const { ListRootsRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    client.setRequestHandler(ListRootsRequestSchema, () => ({
      roots: roots().map((path) => ({ uri: `file://${path}` })),
    }));
  }
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}`, ...headers } },
  });
  await client.connect(transport);
  return client;
}

export interface CallResult {
  isError: boolean;
  text: string;
  structured: Record<string, unknown>;
}

export async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<CallResult> {
  const result = await client.callTool({ name, arguments: args });
  const [content] = result.content as { text: string }[];
  return {
    isError: result.isError === true,
    text: content?.text ?? '',
    structured: (result.structuredContent ?? {}) as Record<string, unknown>,
  };
}

/** A promise and what settles it. */
export function signalled(): { promise: Promise<void>; settle: () => void } {
  let settle = (): void => undefined;
  const promise = new Promise<void>((resolve) => (settle = resolve));
  return { promise, settle };
}
