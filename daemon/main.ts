import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import type { BundledServerFate, ChosenPostgres, CliContext } from './cli/cliContext.ts';
import { runCli } from './cli/runCli.ts';
import { chooseAddress, hasOtherConnections, type ChosenAddress } from './engine/chooseAddress.ts';
import { openEngine } from './engine/openEngine.ts';
import { tryPostgres } from './postgres/tryPostgres.ts';
import { openLog } from './lifecycle/logFile.ts';
import { settingsFile } from './lifecycle/settingsFile.ts';
import { openStateFolder, stateFolderPath } from './lifecycle/stateFolder.ts';
import { addressLabel, parseAddress } from './postgres/address.ts';
import { withoutPassword } from './postgres/connectionString.ts';
import { localSurroundings } from './postgres/localSurroundings.ts';
import { savePassword } from './postgres/savePassword.ts';

/** The package's version, put in when it is bundled. */
declare const REGISTRAR_VERSION: string | undefined;

void main();

/** The only place where argv, environment, signals and standard streams come in. */
async function main(): Promise<void> {
  const environment = process.env;
  const home = homedir();
  const stateFolder = (): string => stateFolderPath(environment, process.platform, home);
  const settings = async (): Promise<ReturnType<typeof settingsFile>> => {
    await openStateFolder(stateFolder());
    return settingsFile(join(stateFolder(), 'settings.json'));
  };
  const parse = (url: string): ReturnType<typeof parseAddress> => parseAddress(url, environment, localSurroundings());

  const context: CliContext = {
    argv: process.argv.slice(2),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    cwd: process.cwd(),
    home,
    environment,
    version: typeof REGISTRAR_VERSION === 'string' ? REGISTRAR_VERSION : 'development',
    settings: {
      read: async () => (await settings()).read(),
      update: async (change) => (await settings()).update(change),
    },
    async open({ databaseUrl, bundledUnlessChosen, bundledServer, onProgress }) {
      const file = await settings();
      let current = await file.read();
      const isAddressSet = databaseUrl !== null || (environment['REGISTRAR_DATABASE_URL'] ?? '') !== '';
      if (bundledUnlessChosen && !isAddressSet && !current.postgres) {
        current = await file.update((before) => ({ ...before, postgres: before.postgres ?? { kind: 'bundled' } }));
      }
      const folder = stateFolder();
      const chosen = await chooseAddress({
        databaseUrl,
        environment,
        settings: current,
        stateFolder: folder,
        onProgress,
      });
      const engine = await openEngine({
        ...chosen,
        stateFolder: folder,
        home,
        settings: current,
        log: openLog(folder),
        // One command is over before another daemon's change could matter to it.
        watches: bundledServer === 'stop',
      });
      return {
        ...engine,
        close: async () => {
          await engine.close();
          await endBundled(chosen, bundledServer, onProgress);
        },
      };
    },
    tryPostgres: (url, password) => {
      const address = parse(url);
      return tryPostgres(password === null ? address : { ...address, password });
    },
    savePassword: (url, password) => savePassword(parse(url), password),
    describePostgres: async () => describePostgres(environment, (await (await settings()).read()).postgres),
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
    spawn: runCommand,
    untilStopped: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      }),
  };
  process.exitCode = await runCli(context);
}

/** Nobody's server is stopped under them: an application may work in it while the command that started it ends. */
async function endBundled(
  { bundled, address }: ChosenAddress,
  fate: BundledServerFate,
  onProgress: (message: string) => void,
): Promise<void> {
  if (!bundled || fate === 'keep' || (fate === 'as-found' && bundled.reused)) return;
  if (await hasOtherConnections(address)) {
    onProgress('The bundled PostgreSQL keeps running: somebody else is connected to it.');
    return;
  }
  await bundled.stop();
}

function describePostgres(
  environment: NodeJS.ProcessEnv,
  postgres: Awaited<ReturnType<ReturnType<typeof settingsFile>['read']>>['postgres'],
): ChosenPostgres {
  const given = environment['REGISTRAR_DATABASE_URL'] ?? '';
  if (given !== '') {
    return { chosen: 'environment', address: addressLabel(parseAddress(given, environment, localSurroundings())) };
  }
  if (!postgres) return { chosen: null, address: null };
  return postgres.kind === 'bundled'
    ? { chosen: 'bundled', address: null }
    : { chosen: 'url', address: withoutPassword(postgres.url) };
}

/** Ctrl-C reaches the command by itself, as part of the same terminal; this process then waits for how it ends. */
async function runCommand(
  command: string,
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<number> {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  process.on('SIGTERM', ignore);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: 'inherit', env: environment });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  } finally {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', ignore);
  }
}
