import { homedir } from 'node:os';
import { runCli } from './cli/runCli.ts';
import { StandardStreams } from './cli/standardStreams.ts';
import { commandContext } from './process/commandContext.ts';
import { CommandDaemon } from './process/commandDaemon.ts';

/** The package's version, put in when it is bundled. */
declare const REGISTRAR_VERSION: string | undefined;

void main();

/**
 * Where argv, environment, signals and standard streams come in. What makes a daemon is loaded when one is made: loading
 * takes most of the time of a command that only asks one.
 */
async function main(): Promise<void> {
  // The launcher sets it for Electron; a command that is run from here may be an Electron of its own.
  delete process.env['ELECTRON_RUN_AS_NODE'];
  const version = typeof REGISTRAR_VERSION === 'string' ? REGISTRAR_VERSION : 'development';
  const daemon = new CommandDaemon(process.env, homedir(), version);
  process.exitCode = await runCli(commandContext(daemon, new StandardStreams()));
}
