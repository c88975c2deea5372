import { join } from 'node:path';
import type { CliContext, DaemonControl } from '../cli/cliContext.ts';
import type { StandardStreams } from '../cli/standardStreams.ts';
import { daemonClient, remoteApi } from '../client/localDaemon.ts';
import { agentConnections } from '../engine/agentConnections.ts';
import { uninstall } from '../engine/uninstall.ts';
import { readLog } from '../lifecycle/readLog.ts';
import { parseAddress } from '../postgres/address/address.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import { savePassword } from '../postgres/address/savePassword.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { readEndpoint } from '../wire/endpointFile.ts';
import { chosenPostgres } from './chosenPostgres.ts';
import type { CommandDaemon } from './commandDaemon.ts';
import { sampleWorkspace } from './sampleWorkspace.ts';

/** What commands get of this process and of the daemon; what only some commands need is loaded by them. */
export function commandContext(daemon: CommandDaemon, streams: StandardStreams): CliContext {
  return {
    argv: process.argv.slice(2),
    get stdin() {
      return streams.stdin;
    },
    stdout: streams.stdout,
    stderr: streams.stderr,
    get cwd() {
      return workingDirectory();
    },
    home: daemon.home,
    environment: daemon.environment,
    version: daemon.version,
    settings: {
      read: async () => (await daemon.settings()).read(),
      update: async (change) => (await daemon.settings()).update(change),
    },
    open: opening(daemon),
    daemon: daemonControl(daemon),
    async forwardAgent(directory) {
      const { forwardAgent } = await import('../engine/forwardAgent.ts');
      await forwardAgent({ ...daemon.options(), directory });
    },
    connections: () => connectionsOf(daemon),
    ...postgresChoice(daemon),
    uninstall: () => uninstall(daemon.stateFolder(), connectionsOf(daemon)),
    sampleWorkspace: () => sampleWorkspace(daemon.stateFolder()),
    async writeEnvironmentFile(path, edit) {
      const { writeEnvironmentFile } = await import('../engine/writeEnvironmentFile.ts');
      return writeEnvironmentFile(path, edit);
    },
    async run(command, args, variables) {
      const { runCommand } = await import('../cli/exec/runCommand.ts');
      return runCommand(command, args, variables, () => !daemon.isParent && !streams.areOpen());
    },
    untilStopped: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
        // Logging out, or closing the terminal.
        process.once('SIGHUP', resolve);
      }),
  };
}

function opening(daemon: CommandDaemon): CliContext['open'] {
  return async ({ databaseUrl, bundledUnlessChosen, ownDaemon, onProgress }) => {
    const own = ownDaemon ? await daemon.become(databaseUrl) : null;
    const client = await daemonClient(daemon.options(), databaseUrl, true, onProgress);
    const close = async (): Promise<void> => {
      client.close();
      await own?.end('stopped', true);
    };
    try {
      const server = await client.call('server', undefined).catch(async (error: unknown) => {
        if (!(error instanceof RegistrarError) || error.code !== 'POSTGRES_NOT_CHOSEN' || !bundledUnlessChosen) {
          throw error;
        }
        await (
          await daemon.settings()
        ).update((before) => ({ ...before, postgres: before.postgres ?? { kind: 'bundled' } }));
        return client.call('server', undefined);
      });
      return { ...remoteApi(client, server), close };
    } catch (error) {
      await close();
      throw error;
    }
  };
}

function daemonControl(daemon: CommandDaemon): DaemonControl {
  return {
    status: () => daemon.withRunning((client) => client.call('status', undefined)),
    stop: () => daemon.stop(),
    start: (databaseUrl) => daemon.withStarted(databaseUrl, (client) => client.call('status', undefined)),
    rotateToken: (databaseUrl) => daemon.withStarted(databaseUrl, (client) => client.call('rotateToken', undefined)),
    async become(databaseUrl) {
      const own = await daemon.become(databaseUrl);
      return own && { pid: process.pid, ended: own.ended, end: () => own.end('stopped', true) };
    },
    log: (follow, signal) => readLog(join(daemon.stateFolder(), 'logs', 'registrar.log'), follow, signal),
  };
}

function connectionsOf(daemon: CommandDaemon): ReturnType<CliContext['connections']> {
  return agentConnections({
    stateFolder: daemon.stateFolder(),
    platform: process.platform,
    home: daemon.home,
    environment: daemon.environment,
    now: () => new Date().toISOString(),
    async endpoint() {
      const path = join(daemon.stateFolder(), 'endpoint.json');
      // Address and token are those of the last daemon, so that one has to be started only once.
      if ((await readEndpoint(path))?.url == null) await daemonControl(daemon).start(null);
      const { url, token } = (await readEndpoint(path)) ?? {};
      if (url != null && token !== undefined) return { url, token };
      throw new RegistrarError({
        code: 'DAEMON_UNREACHABLE',
        message: 'The daemon does not serve agents over HTTP.',
        hint: 'See registrar log; without --http, the agent needs no address.',
      });
    },
  });
}

function postgresChoice(
  daemon: CommandDaemon,
): Pick<CliContext, 'tryPostgres' | 'choosePostgres' | 'savePassword' | 'describePostgres'> {
  const { environment } = daemon;
  const parse = (url: string): ReturnType<typeof parseAddress> => parseAddress(url, environment, localSurroundings());
  return {
    async tryPostgres(url, password) {
      const { tryPostgres } = await import('../postgres/connection/tryPostgres.ts');
      const address = parse(url);
      return tryPostgres(password === null ? address : { ...address, password });
    },
    async choosePostgres(postgres, password) {
      const change = await daemon.withRunning((client) => client.call('changeAddress', { postgres, password }));
      if (change === null) await (await daemon.settings()).update((before) => ({ ...before, postgres }));
      return change;
    },
    savePassword: (url, password) => savePassword(parse(url), password),
    describePostgres: async () => ({
      ...chosenPostgres(environment, (await (await daemon.settings()).read()).postgres),
      daemon: (await daemon.withRunning((client) => client.call('status', undefined)))?.server ?? null,
    }),
  };
}

/** Throws DIRECTORY_INVALID when it is gone: a command that ran there would work on nobody knows what. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new RegistrarError(
      {
        code: 'DIRECTORY_INVALID',
        message: 'The working directory has been deleted.',
        hint: 'Change to another folder: cd',
      },
      { cause: error },
    );
  }
}
