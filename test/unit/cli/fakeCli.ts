import { Readable } from 'node:stream';
import type {
  ChosenPostgres,
  CliContext,
  DaemonControl,
  FoundHere,
  TextOutput,
} from '../../../daemon/cli/cliContext.ts';
import { runCli } from '../../../daemon/cli/runCli.ts';
import { agentConnections } from '../../../daemon/engine/agentConnections.ts';
import type { DaemonStatus } from '../../../daemon/protocol/control.ts';
import type { Connection, SyncStatus } from '../../../daemon/protocol/answers.ts';
import { engineMethods, type RegistrarApi } from '../../../daemon/protocol/methods.ts';
import type { ListedProject, Resolution } from '../../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import type { Settings } from '../../../daemon/protocol/settings.ts';
import { answering } from '../../support/fakeOperations.ts';

export const shop: ListedProject = {
  id: '1f2e3d4c-0000-4000-8000-000000000001',
  name: 'shop',
  databaseName: 'cb_proj_shop_1f2e3d4c',
  description: null,
  createdAt: '2026-11-03T09:00:00.000Z',
  updatedAt: '2026-11-03T09:00:00.000Z',
  metadata: {},
  sync: { state: 'synced' },
};

export const resolved: Resolution = {
  outcome: 'resolved',
  project: { ...shop },
  server: { address: 'localhost:5432', source: 'file' },
  tier: 2,
  created: false,
  stale: false,
  sync: { state: 'synced' },
  directory: '/home/a/shop',
  configPath: '/home/a/shop/.codebase-mcp/config.json',
  trace: [
    { tier: 1, name: 'explicit', outcome: 'skipped', reason: 'no project given', durationMs: 0 },
    { tier: 2, name: 'config', outcome: 'matched', reason: '.codebase-mcp/config.json', durationMs: 0.92 },
    { tier: null, name: 'identity', outcome: 'matched', reason: 'the database carries the same id', durationMs: 0 },
  ],
  wouldDo: null,
  warnings: [],
  error: null,
};

export function refused(error: ErrorReport): Resolution {
  return { ...resolved, outcome: 'refused', project: null, tier: null, sync: null, trace: [], error };
}

export const emptySync: SyncStatus = {
  pending: [],
  parked: [],
  delivered: 0,
  failed: 0,
  failuresByCode: {},
  retries: 0,
  successRateLastHour: null,
  lastSuccessAt: null,
  lastError: null,
  oldestPendingAgeMs: null,
};

export const settings: Settings = {
  postgres: null,
  trustedFolders: [],
  'registrar.postgres.projectSchema': null,
  'registrar.postgres.ownerRole': null,
  'registrar.workflow.url': null,
  'registrar.defaultProject.enabled': false,
  'registrar.config.writeId': 'untracked',
  'registrar.daemon.idleMinutes': 10,
  'registrar.mcp.enabled': true,
  'registrar.mcp.tools': 'standard',
};

export const daemonStatus: DaemonStatus = {
  version: '0.1.0',
  protocol: 1,
  pid: 4711,
  started: '2026-11-03T09:00:00.000Z',
  uptimeMs: 5 * 60_000,
  stateFolder: '/home/a/.local/state/project-registrar',
  server: { address: 'localhost:5432', source: 'bundled' },
  error: null,
  clients: [],
  mcpUrl: 'http://127.0.0.1:4321/mcp',
  agents: [],
  sync: emptySync,
  pool: { open: 1, idle: 1, waiting: 0 },
  memoryBytes: 80 * 1_048_576,
  idleExitAfterMs: 600_000,
};

const nothingFound: FoundHere = {
  stateFolder: daemonStatus.stateFolder,
  entries: [],
  bundledData: null,
  agents: [],
};

type Api = RegistrarApi & { close(): Promise<void> };

/** What a run is given besides its arguments, each with something that works when a test does not care. */
export interface FakeParts {
  api?: Partial<RegistrarApi>;
  context?: Partial<CliContext>;
  daemon?: Partial<DaemonControl>;
  terminal?: boolean;
  /** What is on standard input; no terminal. */
  stdin?: string;
  chosen?: ChosenPostgres;
  found?: FoundHere;
  settings?: Settings;
}

/** What a run did: its output, and every call that left the commands, in order. */
export interface FakeRun {
  status: number;
  stdout: string;
  stderr: string;
  calls: [name: string, ...args: unknown[]][];
  settings: Settings;
}

/** Runs the command line on fakes; the API records what it was asked and answers as the test says. */
export async function cli(argv: string[], parts: FakeParts = {}): Promise<FakeRun> {
  const calls: FakeRun['calls'] = [];
  const stdout = capture(parts.terminal ?? false);
  const stderr = capture(parts.terminal ?? false);
  let current = parts.settings ?? settings;
  const context: CliContext = {
    argv,
    stdin: Readable.from([parts.stdin ?? '']),
    stdout,
    stderr,
    cwd: '/home/a/shop',
    home: '/home/a',
    environment: {},
    version: '0.1.0',
    settings: {
      read: async () => current,
      update: async (change) => {
        calls.push(['settings.update']);
        current = change(current);
        return current;
      },
    },
    open: async ({ databaseUrl, bundledUnlessChosen, ownDaemon, onProgress }) => {
      calls.push(['open', { databaseUrl, bundledUnlessChosen, ownDaemon }]);
      onProgress('connecting…');
      return recording({ ...answers, ...parts.api }, calls);
    },
    daemon: {
      status: async () => null,
      stop: async () => false,
      start: async () => daemonStatus,
      rotateToken: async (databaseUrl) => {
        calls.push(['rotateToken', databaseUrl]);
        return { url: 'http://127.0.0.1:4321/mcp' };
      },
      become: async () => null,
      async *log() {
        yield '{"time":"2026-11-03T09:00:00.000Z","level":"info","msg":"daemon started","pid":4711}';
      },
      ...parts.daemon,
    },
    forwardAgent: async (directory) => {
      calls.push(['forwardAgent', directory]);
    },
    connections: () =>
      agentConnections({
        stateFolder: daemonStatus.stateFolder,
        platform: 'linux',
        home: '/home/a',
        environment: {},
        endpoint: async () => ({ url: 'http://127.0.0.1:4321/mcp', token: 'c0ffee' }),
        now: () => '2026-11-03T09:00:00.000Z',
      }),
    tryPostgres: async (url, password) => {
      calls.push(['tryPostgres', url, password]);
      return { version: '15.3', role: 'a', mayCreateDatabases: true, registry: 'codebase_mcp_registry' };
    },
    choosePostgres: async (postgres, password) => {
      calls.push(['choosePostgres', postgres, password]);
      current = { ...current, postgres };
      return null;
    },
    savePassword: async (url, password) => {
      calls.push(['savePassword', url, password]);
      return '/home/a/.pgpass';
    },
    uninstall: () => ({
      found: async () => parts.found ?? nothingFound,
      remove: async () => {
        calls.push(['uninstall.remove']);
        return { failures: [], left: [] };
      },
    }),
    describePostgres: async () => parts.chosen ?? chosenBy(current),
    sampleWorkspace: async () => '/home/a/.local/state/project-registrar/sample',
    writeEnvironmentFile: async () => 'unchanged',
    run: async (command, args, environment) => {
      calls.push(['run', command, args, environment]);
      return 0;
    },
    untilStopped: async () => {
      calls.push(['untilStopped']);
    },
    ...parts.context,
  };
  const status = await runCli(context);
  return { status, stdout: stdout.text(), stderr: stderr.text(), calls, settings: current };
}

/** The names of the calls, which are the path that the run took. */
export function path({ calls }: FakeRun): string[] {
  return calls.map(([name]) => name);
}

const connected: Connection = {
  resolution: resolved,
  environment: { PGHOST: 'localhost', PGDATABASE: 'cb_proj_shop_1f2e3d4c', PGPASSWORD: "it's $5" },
};

const answers = answering<Api>(engineMethods, {
  server: () => ({ address: 'localhost:5432', source: 'bundled' }),
  resolve: async () => resolved,
  listProjects: async () => ({ projects: [shop], nextCursor: null }),
  unusedProjects: async () => ({ projects: [], sizesMissing: null }),
  listEvents: async () => ({ events: [], truncated: false, missing: null }),
  showProject: async () => shop,
  createProject: async () => ({ ...resolved, created: true }),
  updateProject: async () => resolved,
  adoptDatabase: async () => resolved,
  forgetProject: async () => ({ project: shop, databaseName: shop.databaseName }),
  dropProject: async () => ({ project: shop, databaseName: shop.databaseName }),
  remakeProject: async () => resolved,
  useProject: async () => resolved,
  removeBinding: async () => resolved,
  connection: async () => connected,
  describeDatabase: async () => ({ resolution: resolved, description: null }),
  queryDatabase: async () => ({ resolution: resolved, result: null }),
  syncStatus: async () => emptySync,
  syncNow: async () => emptySync,
  drift: async () => ({ planId: '0123456789abcdef', ok: true, findings: [] }),
  repair: async ({ planId }) => ({ planId, applied: [], skipped: [], failed: [] }),
  close: async () => undefined,
});

function recording(api: Api, calls: FakeRun['calls']): Api {
  return new Proxy(api, {
    get(target, name: keyof Api | 'then') {
      // Whoever awaits the API asks whether it is a promise.
      if (name === 'then') return undefined;
      const method = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        calls.push([name, ...args]);
        return method(...args);
      };
    },
  });
}

function chosenBy({ postgres }: Settings): ChosenPostgres {
  return { chosen: postgres?.kind ?? null, address: postgres?.kind === 'url' ? 'localhost:5432' : null, daemon: null };
}

function capture(isTTY: boolean): TextOutput & { text(): string } {
  let text = '';
  return {
    isTTY,
    write: (piece) => {
      text += piece;
    },
    on: () => undefined,
    text: () => text,
  };
}
