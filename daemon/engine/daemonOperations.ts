import { randomBytes } from 'node:crypto';
import { postgresNotChosen } from '../cli/postgresNotChosen.ts';
import type { Caller, ControlHandlers } from '../control/clientConnection.ts';
import type { RunningPrograms } from '../lifecycle/runningPrograms.ts';
import { protocolVersion, type DaemonStatus, type EventsTrouble } from '../protocol/control.ts';
import { keptChoice, savePassword, tryAddress, variablesFor } from './addressCommands.ts';
import type { AgentEndpoint } from './agentEndpoint.ts';
import { checkConfig } from './checkConfig.ts';
import { connectionHandlers } from './connectionHandlers.ts';
import type { Engine, EngineLog } from './engine.ts';
import type { EngineAccess } from './engineAccess.ts';
import { engineHandlers } from './engineHandlers.ts';
import type { EngineHolder } from './engineHolder.ts';
import type { WindowSnapshots } from './windowSnapshots.ts';
import { withLimit } from '../time/withLimit.ts';

/** The parts of a daemon that its operations use. */
export interface DaemonParts {
  stateFolder: string;
  home: string;
  environment: Record<string, string | undefined>;
  version: string;
  log: EngineLog;
  /** ISO 8601 in UTC. */
  started: string;
  uptimeMs(): number;
  idleExitAfterMs(): number;
  holder: EngineHolder;
  windows: WindowSnapshots;
  programs: RunningPrograms;
  clients(): Caller[];
  /** Null until agents are served. */
  agents(): AgentEndpoint | null;
  /** What agents over HTTP have to bring. */
  token(): string;
  changeToken(token: string): Promise<void>;
  engine: EngineAccess;
  end(reason: string, stopServer: boolean): void;
}

/** What the daemon does for each operation of `daemon/protocol/operations.ts`, itself or by its engine. */
export function daemonOperations(parts: DaemonParts): ControlHandlers {
  const { holder, windows, programs, log, engine: access } = parts;
  const ofEngine = engineHandlers(access);
  return {
    ...ofEngine,
    server: (_params, caller) => access.read(caller, (engine) => Promise.resolve(engine.server())),
    async resolve(params, caller, signal) {
      const answer = await ofEngine.resolve(params, caller, signal);
      const isOfFolder = (params.project ?? params.expect ?? null) === null && params.dryRun !== true;
      if (isOfFolder && typeof params.directory === 'string')
        windows.note(params.directory, answer, caller.kind === 'window');
      return answer;
    },
    connection(params, caller, signal) {
      if (caller.kind === 'command') programs.add(caller.pid);
      return ofEngine.connection(params, caller, signal);
    },
    status: () => statusOf(parts),
    setFolders: ({ folders }, caller) => {
      caller.folders = folders;
      void windows.look();
      return Promise.resolve(null);
    },
    look: async () => {
      await windows.look();
      return null;
    },
    checkConfig: (params) =>
      checkConfig(params, (config) =>
        // The obstacle is not the file's fault; the holder's error has it.
        holder
          .use(
            null,
            () => undefined,
            (engine) => engine.lookWith(config),
          )
          .catch(() => null),
      ),
    changeAddress: async (choice, caller) => {
      const postgres = keptChoice(choice.postgres);
      const variables = variablesFor(postgres.kind === 'url' ? postgres.url : null, caller.address);
      const change = await holder.changeAddress({ ...choice, postgres, variables }, caller.progress);
      log.info({ operation: 'postgres', server: change.server?.address, code: change.error?.code }, 'address changed');
      windows.refresh();
      return change;
    },
    tryAddress: async ({ url, password }, { address }) => {
      const wanted = url ?? (await holder.url());
      if (wanted === null) throw postgresNotChosen();
      return tryAddress(wanted, password, address);
    },
    savePassword: async ({ url, password }, { address }) => ({ path: await savePassword(url, password, address) }),
    rotateToken: async () => {
      await parts.changeToken(randomBytes(32).toString('hex'));
      await parts.agents()?.tokenChanged();
      log.info({ operation: 'agents' }, 'token changed');
      return { url: parts.agents()?.url ?? null };
    },
    ...connectionHandlers(() => {
      const url = parts.agents()?.url ?? null;
      return url === null ? null : { url, token: parts.token() };
    }, parts),
    drain: ({ stopServer, reason }) => {
      parts.end(reason, stopServer);
      return Promise.resolve(null);
    },
  };
}

async function statusOf(parts: DaemonParts): Promise<DaemonStatus> {
  const { holder } = parts;
  const agents = parts.agents();
  return {
    version: parts.version,
    protocol: protocolVersion,
    pid: process.pid,
    started: parts.started,
    uptimeMs: parts.uptimeMs(),
    stateFolder: parts.stateFolder,
    server: holder.server,
    error: holder.error,
    clients: parts.clients().map(({ kind, version: of, pid, folders, since }) => ({
      kind,
      version: of,
      pid,
      folders,
      since,
    })),
    mcpUrl: agents?.url ?? null,
    agents: agents?.agents() ?? [],
    sync: (await holder.engine?.syncStatus()) ?? null,
    pool: holder.engine?.pool() ?? null,
    lastingWrites: holder.engine?.lastingWrites() ?? [],
    ...(await eventsTrouble(holder.engine)),
    memoryBytes: process.memoryUsage.rss(),
    idleExitAfterMs: parts.idleExitAfterMs(),
  };
}

/** Left out if the server could not be asked: its trouble has a line of its own. */
async function eventsTrouble(engine: Engine | null): Promise<{ events?: EventsTrouble | null }> {
  const asked = engine?.eventsTrouble().catch(() => undefined) ?? Promise.resolve(undefined);
  const events = await withLimit(1000, asked, () => undefined);
  return events === undefined ? {} : { events };
}
