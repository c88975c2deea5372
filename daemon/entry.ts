import { statSync } from 'node:fs';
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { stateFolderPath } from './wire/stateFolder.ts';

/** The package's version, put in when it is bundled. */
declare const REGISTRAR_VERSION: string | undefined;

void start();

/**
 * The command's first step. A forwarder stays as long as its agent, and there may be many: it loads neither PostgreSQL's
 * client nor the other commands.
 */
async function start(): Promise<void> {
  keepCompiledCode();
  const asked = forwarderArguments(process.argv.slice(2));
  if (!asked) {
    await import('./main.ts');
    return;
  }
  compileLittle();
  const { forwardAgent } = await import('./engine/forwardAgent.ts');
  try {
    await forwardAgent({
      stateFolder: stateFolderPath(process.env, process.platform, homedir()),
      version: typeof REGISTRAR_VERSION === 'string' ? REGISTRAR_VERSION : 'development',
      environment: process.env,
      script: process.argv[1] ?? '',
      directory: asked.directory,
    });
  } catch (error) {
    process.stderr.write(`registrar: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 3;
  }
}

/**
 * Lets V8 keep what it compiled in the state folder, which saves a quarter of what a command's start costs. The system's
 * temporary folder, which Node would choose, is open to others.
 */
function keepCompiledCode(): void {
  // Since Node 22.1.
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  try {
    const stateFolder = stateFolderPath(process.env, process.platform, homedir());
    // Whoever could write there could have this process run what is theirs.
    const folder = statSync(stateFolder, { throwIfNoEntry: false });
    const isPrivate = folder?.uid === process.getuid?.() && ((folder?.mode ?? 0) & 0o077) === 0;
    if (folder?.isDirectory() && (isPrivate || process.platform === 'win32')) {
      enableCompileCache?.(join(stateFolder, 'compiled'));
    }
  } catch {
    // A state folder that cannot be named is reported by whoever needs it.
  }
}

/**
 * Keeps V8 from optimising, by both of its later compilers: a forwarder passes lines on and computes nothing. They would
 * take a sixth of its memory, and save a tenth of the time of a call.
 */
function compileLittle(): void {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag);
}

/** Null for anything else, also for what begins with `mcp` and is the command line's to explain. */
function forwarderArguments(argv: readonly string[]): { directory: string | null } | null {
  if (argv[0] !== 'mcp') return null;
  try {
    const { directory } = parseArgs({ args: argv.slice(1), options: { directory: { type: 'string' } } }).values;
    if (directory === undefined) return { directory: null };
    if (directory.trim() === '') return null;
    // A variable that the agent did not replace is no path to make absolute.
    return { directory: directory.includes('${') ? null : resolve(directory) };
  } catch {
    return null;
  }
}
