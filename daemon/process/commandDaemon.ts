import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { left, silentDaemon, type DaemonClient } from '../client/daemonClient.ts';
import { NoAnswer } from '../client/dialDaemon.ts';
import { daemonClient, givenAddress, type LocalDaemonOptions } from '../client/localDaemon.ts';
import { isNewer } from '../client/versionOrder.ts';
import type { RunningDaemon } from '../engine/runDaemon.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { SettingsFile } from '../stateFolder/settingsFile.ts';
import { openStateFolder, stateFolderPath } from '../wire/stateFolder.ts';

/** The daemon of this user and state folder, as a command meets it: asked where it runs, started, or this process itself. */
export class CommandDaemon {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  readonly version: string;
  /** A command that takes this process's place would inherit the daemon as a child. */
  isParent = false;

  constructor(environment: NodeJS.ProcessEnv, home: string, version: string) {
    this.environment = environment;
    this.home = home;
    this.version = version;
  }

  /** @throws RegistrarError INVALID_ARGUMENT where the environment names none that can be */
  stateFolder(): string {
    return stateFolderPath(this.environment, process.platform, this.home);
  }

  /** The settings of the state folder, which is made when it is not there. */
  async settings(): Promise<SettingsFile> {
    await openStateFolder(this.stateFolder());
    const { settingsFile } = await import('../stateFolder/settingsFile.ts');
    return settingsFile(join(this.stateFolder(), 'settings.json'));
  }

  options(): LocalDaemonOptions {
    return {
      stateFolder: this.stateFolder(),
      version: this.version,
      environment: this.environment,
      script: process.argv[1] ?? '',
      onStart: () => {
        this.isParent = true;
      },
    };
  }

  /** Null when no daemon runs. */
  async withRunning<T>(run: (client: DaemonClient) => Promise<T>): Promise<T | null> {
    const client = await daemonClient(this.options(), null, false, () => undefined);
    try {
      return await run(client);
    } catch (error) {
      if (error instanceof RegistrarError && error.details?.['reason'] === 'not running') return null;
      throw error;
    } finally {
      client.close();
    }
  }

  /** Starts a daemon when none runs. */
  async withStarted<T>(databaseUrl: string | null, run: (client: DaemonClient) => Promise<T>): Promise<T> {
    const client = await daemonClient(this.options(), databaseUrl, true, () => undefined);
    try {
      return await run(client);
    } finally {
      client.close();
    }
  }

  /** Makes this process the daemon; null when another one is it. */
  async become(databaseUrl: string | null): Promise<RunningDaemon | null> {
    const { version } = this;
    const file = await this.settings();
    const folder = await realpath(this.stateFolder());
    const { cannotStart, runDaemon } = await import('../engine/runDaemon.ts');
    const { refreshLauncher } = await import('../lifecycle/launcher.ts');
    const { openLog } = await import('../lifecycle/logFile.ts');
    try {
      const log = openLog(folder);
      const daemon = await runDaemon({
        stateFolder: folder,
        home: this.home,
        version,
        environment: this.environment,
        given: givenAddress(databaseUrl, this.environment),
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
  }

  /** Ends the daemon that runs, with its server; false when none does. */
  async stop(): Promise<boolean> {
    const stopped = await this.withRunning(async (client) => {
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
  }
}
