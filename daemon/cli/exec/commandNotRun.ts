import type { ErrorReport } from '../../protocol/registrarError.ts';

/** A shell's exit status for a command that it cannot find, and for one that it finds but cannot run. */
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
  ENOENT: ['cannot be run: the interpreter that it names is missing', 'Check that the interpreter is installed.'],
  EACCES: [
    'cannot be run: permission denied',
    'Make the file executable (chmod +x), or name the program that reads it.',
  ],
  EISDIR: ['is a folder', 'Name a program in it.'],
  E2BIG: ['was given more arguments and variables than the system allows', 'Pass long input through a file.'],
  ENOEXEC: ['is not a program that this system can run', 'Check that it was built for this kind of machine.'],
  ETXTBSY: ['is being written by another program', 'Wait until that has finished.'],
};
