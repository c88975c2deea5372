import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ChosenPostgres, CliContext } from './cli/cliContext.ts';
import { runCli } from './cli/runCli.ts';
import { StandardStreams } from './cli/standardStreams.ts';
import { left, silentDaemon, type DaemonClient } from './client/daemonClient.ts';
import { NoAnswer } from './client/dialDaemon.ts';
import { daemonClient, givenAddress, remoteApi, type LocalDaemonOptions } from './client/localDaemon.ts';
import { isNewer } from './client/versionOrder.ts';
import { agentConnections } from './engine/agentConnections.ts';
import type { RunningDaemon } from './engine/runDaemon.ts';
import { uninstall } from './engine/uninstall.ts';
import { readEndpoint } from './wire/endpointFile.ts';
import { readLog } from './lifecycle/readLog.ts';
import type { SettingsFile } from './stateFolder/settingsFile.ts';
import { openStateFolder, stateFolderPath } from './wire/stateFolder.ts';
import { addressLabel, parseAddress } from './postgres/address/address.ts';
import { withoutPassword } from './postgres/address/connectionString.ts';
import { localSurroundings } from './postgres/address/localSurroundings.ts';
import { savePassword } from './postgres/address/savePassword.ts';
import { RegistrarError } from './protocol/registrarError.ts';
import type { Settings } from './protocol/settings.ts';

/** The package's version, put in when it is bundled. */
declare const REGISTRAR_VERSION: string | undefined;

void main();

/**
 * The only place where argv, environment, signals and standard streams come in. What makes a daemon is loaded when one is
 * made: loading takes most of the time of a command that only asks one.
 */
async function main(): Promise<void> {
  // The launcher sets it for Electron; a command that is run from here may be an Electron of its own.
  delete process.env['ELECTRON_RUN_AS_NODE'];
  const environment = process.env;
  const home = homedir();
  const stateFolder = (): string => stateFolderPath(environment, process.platform, home);
  const settings = async (): Promise<SettingsFile> => {
    await openStateFolder(stateFolder());
    const { settingsFile } = await import('./stateFolder/settingsFile.ts');
    return settingsFile(join(stateFolder(), 'settings.json'));
  };
  const parse = (url: string): ReturnType<typeof parseAddress> => parseAddress(url, environment, localSurroundings());

  const version = typeof REGISTRAR_VERSION === 'string' ? REGISTRAR_VERSION : 'development';
  const streams = new StandardStreams();
  /** A command that takes this process's place would inherit the daemon as a child. */
  let isParent = false;
  const local = (): LocalDaemonOptions => ({
    stateFolder: stateFolder(),
    version,
    environment,
    script: process.argv[1] ?? '',
    onStart: () => {
      isParent = true;
    },
  });
  /** Null when no daemon runs. */
  const withRunning = async <T>(run: (client: DaemonClient) => Promise<T>): Promise<T | null> => {
    const client = await daemonClient(local(), null, false, () => undefined);
    try {
      return await run(client);
    } catch (error) {
      if (error instanceof RegistrarError && error.details?.['reason'] === 'not running') return null;
      throw error;
    } finally {
      client.close();
    }
  };
  /** Starts a daemon when none runs. */
  const withStarted = async <T>(databaseUrl: string | null, run: (client: DaemonClient) => Promise<T>): Promise<T> => {
    const client = await daemonClient(local(), databaseUrl, true, () => undefined);
    try {
      return await run(client);
    } finally {
      client.close();
    }
  };
  const become = async (databaseUrl: string | null): Promise<RunningDaemon | null> => {
    const file = await settings();
    const folder = await realpath(stateFolder());
    const { cannotStart, runDaemon } = await import('./engine/runDaemon.ts');
    const { refreshLauncher } = await import('./lifecycle/launcher.ts');
    const { openLog } = await import('./lifecycle/logFile.ts');
    try {
      const log = openLog(folder);
      const daemon = await runDaemon({
        stateFolder: folder,
        home,
        version,
        environment,
        given: givenAddress(databaseUrl, environment),
        readSettings: () => file.read(),
        updateSettings: (change) => file.update(change),
        async beforeServing() {
          const installation = { version, script: process.argv[1] ?? '', node: process.execPath };
          await refreshLauncher(folder, installation, isNewer).catch((error: unknown) => {
            log.warn({ operation: 'launcher', reason: String(error) }, 'bin/registrar could not be written');
          });
        },
        log,
      });
      // The process ends by itself when nothing is open any more; what hangs must not keep it.
      void daemon?.ended.then(() => setTimeout(() => process.exit(), 3000).unref());
      return daemon;
    } catch (error) {
      throw cannotStart(folder, error);
    }
  };

  const context: CliContext = {
    argv: process.argv.slice(2),
    get stdin() {
      return streams.stdin;
    },
    stdout: streams.stdout,
    stderr: streams.stderr,
    get cwd() {
      return workingDirectory();
    },
    home,
    environment,
    version,
    settings: {
      read: async () => (await settings()).read(),
      update: async (change) => (await settings()).update(change),
    },
    async open({ databaseUrl, bundledUnlessChosen, ownDaemon, onProgress }) {
      const own = ownDaemon ? await become(databaseUrl) : null;
      const client = await daemonClient(local(), databaseUrl, true, onProgress);
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
            await settings()
          ).update((before) => ({ ...before, postgres: before.postgres ?? { kind: 'bundled' } }));
          return client.call('server', undefined);
        });
        return { ...remoteApi(client, server), close };
      } catch (error) {
        await close();
        throw error;
      }
    },
    daemon: {
      status: () => withRunning((client) => client.call('status', undefined)),
      async stop() {
        const stopped = await withRunning(async (client) => {
          const connection = await client.connect();
          await connection.request('drain', { stopServer: true, reason: 'registrar stop' }).catch((error: unknown) => {
            // It was leaving already, and has gone.
            if (!(error instanceof NoAnswer)) throw error;
            if (error.kind === 'silent') throw silentDaemon(connection.pipe);
          });
          await left(connection);
          return true;
        });
        return stopped ?? false;
      },
      start: (databaseUrl) => withStarted(databaseUrl, (client) => client.call('status', undefined)),
      rotateToken: (databaseUrl) => withStarted(databaseUrl, (client) => client.call('rotateToken', undefined)),
      async become(databaseUrl) {
        const own = await become(databaseUrl);
        return own && { pid: process.pid, ended: own.ended, end: () => own.end('stopped', true) };
      },
      log: (follow, signal) => readLog(join(stateFolder(), 'logs', 'registrar.log'), follow, signal),
    },
    forwardAgent: async (directory) => {
      const { forwardAgent } = await import('./engine/forwardAgent.ts');
      await forwardAgent({ ...local(), directory });
    },
    connections: () =>
      agentConnections({
        stateFolder: stateFolder(),
        platform: process.platform,
        home,
        environment,
        now: () => new Date().toISOString(),
        async endpoint() {
          const path = join(stateFolder(), 'endpoint.json');
          // Address and token are those of the last daemon, so that one has to be started only once.
          if ((await readEndpoint(path))?.url == null) await context.daemon.start(null);
          const { url, token } = (await readEndpoint(path)) ?? {};
          if (url != null && token !== undefined) return { url, token };
          throw new RegistrarError({
            code: 'DAEMON_UNREACHABLE',
            message: 'The daemon serves no MCP address.',
            hint: 'See registrar log; without --http, the agent needs no address.',
          });
        },
      }),
    async tryPostgres(url, password) {
      const { tryPostgres } = await import('./postgres/connection/tryPostgres.ts');
      const address = parse(url);
      return tryPostgres(password === null ? address : { ...address, password });
    },
    async choosePostgres(postgres, password) {
      const change = await withRunning((client) => client.call('changeAddress', { postgres, password }));
      if (change === null) await (await settings()).update((before) => ({ ...before, postgres }));
      return change;
    },
    savePassword: (url, password) => savePassword(parse(url), password),
    uninstall: () => uninstall(stateFolder(), context.connections()),
    describePostgres: async () => ({
      ...chosenPostgres(environment, (await (await settings()).read()).postgres),
      daemon: (await withRunning((client) => client.call('status', undefined)))?.server ?? null,
    }),
    async sampleWorkspace() {
      const folder = join(stateFolder(), 'sample-workspace');
      await mkdir(join(folder, '.codebase-mcp'), { recursive: true });
      const config = { version: '1.0', project: { name: 'sample' } };
      // An existing one keeps its id.
      await writeFile(join(folder, '.codebase-mcp', 'config.json'), `${JSON.stringify(config, null, 2)}\n`, {
        flag: 'wx',
      }).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      });
      return folder;
    },
    async writeEnvironmentFile(path, edit) {
      const { writeEnvironmentFile } = await import('./engine/writeEnvironmentFile.ts');
      return writeEnvironmentFile(path, edit);
    },
    async run(command, args, variables) {
      const { runCommand } = await import('./cli/exec/runCommand.ts');
      return runCommand(command, args, variables, () => !isParent && !streams.areOpen());
    },
    untilStopped: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
        // Logging out, or closing the terminal.
        process.once('SIGHUP', resolve);
      }),
  };
  process.exitCode = await runCli(context);
}

/** Throws DIRECTORY_INVALID when it is gone: a command that ran there would work on nobody knows what. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new RegistrarError(
      { code: 'DIRECTORY_INVALID', message: 'The working directory is gone.', hint: 'Go to another folder: cd' },
      { cause: error },
    );
  }
}

function chosenPostgres(
  environment: NodeJS.ProcessEnv,
  postgres: Settings['postgres'],
): Omit<ChosenPostgres, 'daemon'> {
  const given = environment['REGISTRAR_DATABASE_URL'] ?? '';
  if (given !== '') {
    return { chosen: 'environment', address: addressLabel(parseAddress(given, environment, localSurroundings())) };
  }
  if (!postgres) return { chosen: null, address: null };
  return postgres.kind === 'bundled'
    ? { chosen: 'bundled', address: null }
    : { chosen: 'url', address: withoutPassword(postgres.url) };
}
