import type { ErrorReport } from '../../protocol/registrarError.ts';

/** What a shell ends with for a command that it cannot find, and for one that it finds and cannot run. */
export type NotRunStatus = 126 | 127;

/** A command that never began. */
export class CommandNotRun extends Error {
  readonly status: NotRunStatus;
  readonly report: ErrorReport;

  constructor(status: NotRunStatus, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CommandNotRun';
    this.status = status;
    this.report = { code: 'INVALID_ARGUMENT', message, hint };
  }
}

/**
 * What the system's error says about a command that could not be started, in words.
 *
 * @param isThere whether its file was seen, so that something else is what is missing
 */
export function commandNotRun(command: string, error: unknown, isThere = false): CommandNotRun {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' && !isThere) {
    const hint = 'Check its spelling, and that it is on PATH.';
    return new CommandNotRun(127, `${command} was not found; nothing was run.`, hint, error);
  }
  const [message, hint] = reasons[code] ?? [
    `cannot be run (${code || String(error)})`,
    'Run it without Registrar to see what prevents it.',
  ];
  return new CommandNotRun(126, `${command} ${message}; nothing was run.`, hint, error);
}

const reasons: Record<string, readonly [message: string, hint: string]> = {
  ENOENT: [
    'cannot be run: what its first line or its header names is not there',
    'Look whether the interpreter that it names is installed.',
  ],
  EACCES: ['may not be run', 'Make the file executable (chmod +x), or name the program that reads it.'],
  EISDIR: ['is a folder', 'Name a program in it.'],
  E2BIG: ['has arguments and variables that are longer than the system takes', 'Pass long input through a file.'],
  ENOEXEC: ['is no program that this system runs', 'Was it made for another kind of machine?'],
  ETXTBSY: ['is being written', 'Wait until that is done.'],
};
