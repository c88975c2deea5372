import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { canReplace, fits } from './canReplace.ts';
import { commandNotRun } from './commandNotRun.ts';
import { findCommand } from './findCommand.ts';

/**
 * Runs a command on this terminal. Where Node can, this process becomes the command, and the call never returns: pid,
 * terminal, signals and status are then the command's own.
 *
 * @param environment all that the command gets; undefined values are left out
 * @param mayReplace whether this process can go: false when it has children, or has opened its standard streams, which
 *   leaves them in a mode that most programs do not expect
 * @returns its exit status, 128 + n when signal n ended it
 * @throws CommandNotRun when it cannot be found or run
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  environment: Record<string, string | undefined>,
  mayReplace: () => boolean,
): Promise<number> {
  // Windows has rules of its own, which Node follows.
  const isPosix = process.platform !== 'win32';
  const file = isPosix ? await findCommand(command, environment['PATH'], process.cwd()) : command;
  const isReplaced = mayReplace() && fits([command, ...args, file], environment) && (await canReplace(file));
  if (isReplaced) replaceThisProcess(file, [command, ...args], environment);
  return runBeside(command, file, args, environment);
}

type Execve = (file: string, args: readonly string[], environment: Record<string, string>) => void;

/** Returns when this Node cannot do that. */
function replaceThisProcess(
  file: string,
  argv: readonly string[],
  environment: Record<string, string | undefined>,
): void {
  // Since Node 22.15; only where a failed call can be ruled out beforehand.
  const { execve } = process as { execve?: Execve };
  if (!execve || process.platform !== 'linux') return;
  // Node ignores both, and what is ignored stays so for the command: `yes | head` would complain. What is caught does not.
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, ignore);
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  execve(file, argv, Object.fromEntries(given));
}

function ignore(): void {
  // Caught, so that it does not end this process.
}

/**
 * Signals that ask a program to end, or to do something of its own. Signals that stop and continue go to the whole job
 * anyway.
 */
const passedOn = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
type PassedOn = (typeof passedOn)[number];

async function runBeside(
  command: string,
  file: string,
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<number> {
  let child: ChildProcess | null = null;
  const missed: PassedOn[] = [];
  const pass = (signal: PassedOn): void => {
    if (!child) missed.push(signal);
    else if (!comesFromTerminal(signal)) child.kill(signal);
  };
  const signals = passedOn.filter((signal) => signal in constants.signals);
  for (const signal of signals) process.on(signal, pass);
  try {
    // argv[0] as it was typed: programs such as busybox go by it.
    const started = spawn(file, args, { stdio: 'inherit', env: environment, argv0: command });
    child = started;
    for (const signal of missed) started.kill(signal);
    return await new Promise<number>((resolve, reject) => {
      started.once('error', reject);
      started.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  } catch (error) {
    // Some errors are thrown, such as E2BIG, and some are events.
    throw commandNotRun(command, error, file !== command);
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/**
 * Ctrl-C and Ctrl-\ go to every process in the terminal's foreground, including the command, which would otherwise get
 * them twice. The system knows whether this process is in the foreground; if it does not say, having a terminal counts.
 */
function comesFromTerminal(signal: PassedOn): boolean {
  if (process.platform === 'win32') return signal === 'SIGINT';
  if (signal !== 'SIGINT' && signal !== 'SIGQUIT') return false;
  try {
    // Behind the name in brackets, which may hold anything: state, parent, group, session, terminal, its foreground (proc(5)).
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return [0, 1, 2].some((descriptor) => isatty(descriptor));
  }
}
