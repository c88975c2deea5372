import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { RegistrarApi } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';
import { refusePassword } from './addressPassword.ts';
import type { CliContext } from './cliContext.ts';
import type { CliOutput } from './cliOutput.ts';
import { statusOfResolution } from './exitStatus.ts';
import { resolutionText } from './resolutionText.ts';
import { shown } from './terminalText.ts';

/** One run of the command: what its subcommands share. */
export class CliSession {
  readonly context: CliContext;
  readonly output: CliOutput;
  readonly #databaseUrl: () => string | null;
  /** What the process ends with; 0 unless a command says otherwise. */
  status = 0;

  /** @param databaseUrl the option `--database-url`, known once the command line is parsed */
  constructor(context: CliContext, output: CliOutput, databaseUrl: () => string | null) {
    this.context = context;
    this.output = output;
    this.#databaseUrl = databaseUrl;
  }

  get databaseUrl(): string | null {
    return this.#databaseUrl();
  }

  /** Opens Registrar, lets `run` use it, and closes it however that ends. */
  async withRegistrar<T>(
    run: (registrar: RegistrarApi) => Promise<T>,
    options: { bundledUnlessChosen?: boolean; ownDaemon?: boolean } = {},
  ): Promise<T> {
    const databaseUrl = this.checkedDatabaseUrl();
    const registrar = await this.context.open({
      databaseUrl,
      bundledUnlessChosen: options.bundledUnlessChosen ?? false,
      ownDaemon: options.ownDaemon ?? false,
      onProgress: (message) => {
        this.output.progress(({ home }) => shown(message, home));
      },
    });
    try {
      return await run(registrar);
    } finally {
      await registrar.close();
    }
  }

  /** The option `--database-url`. Throws INVALID_ARGUMENT when there is a password in it. */
  checkedDatabaseUrl(): string | null {
    const { databaseUrl } = this;
    if (databaseUrl !== null) {
      const hint = 'Leave the password out and put it into ~/.pgpass or PGPASSWORD, or set REGISTRAR_DATABASE_URL.';
      refusePassword(databaseUrl, 'The address after --database-url', hint);
    }
    return databaseUrl;
  }

  /** The absolute form of a directory from the command line; the current one when none was given. */
  directory(given: string | undefined): string {
    return resolve(this.context.cwd, given ?? '.');
  }

  /** Prints a resolution as the command's answer, and ends with its status. */
  finishWith(resolution: Resolution, selection = ''): void {
    this.output.answer(resolution, (view) => resolutionText(resolution, view, selection));
    this.status = statusOfResolution(resolution);
  }
}

/**
 * Parses an argument that must not be empty. Empty ones come from unset shell variables (`--project "$P"`), and
 * treating them as "not given" would answer with the wrong project.
 */
export function saying(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}
