import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Connection } from '../../protocol/answers.ts';
import type { RegistrarApi } from '../../protocol/methods.ts';
import { libpqVariables } from '../../protocol/libpqVariables.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { CliContext } from '../cliContext.ts';
import { saying, type CliSession } from '../cliSession.ts';
import { CommandNotRun } from '../exec/commandNotRun.ts';
import { dotenvText } from '../environment/dotenvText.ts';
import { withHost } from '../environment/databaseUrl.ts';
import { editEnvironmentFile, type EditedFile } from '../environment/editEnvironmentFile.ts';
import { refusedText, shells, shellText, type Shell } from '../environment/shellText.ts';
import { statusOfResolution } from '../exitStatus.ts';
import { resolutionText } from '../resolutionText.ts';
import { addSelection, selected, selectionText } from './resolveCommands.ts';
import type { Selection } from './resolveCommands.ts';
import { shown } from '../terminalText.ts';

/** `env` and `exec`: the project's database for programs that know nothing of Registrar. */
export function addEnvironmentCommands(program: Command, session: CliSession): void {
  const { context, output } = session;

  addSelection(program.command('env'))
    .description(
      'print PGHOST … DATABASE_URL of the folder’s project, password included, for a shell, a program or a file',
    )
    .addOption(
      new Option('--shell <shell>', 'the shell to print lines for; sh also covers bash and zsh')
        .choices(shells)
        .default('sh'),
    )
    .addOption(new Option('--dotenv', 'print lines for a .env file').conflicts('write'))
    .option(
      '--write <file>',
      'set DATABASE_URL, and each PG variable that the file already has, in a .env file; keep the rest',
      saying,
    )
    .addOption(
      new Option(
        '--map <key=variable>',
        'with --write: set this key of the file to the value of this variable; may be repeated',
      )
        .argParser(mapped)
        .default(new Map(), 'none'),
    )
    .option('--host <name>', 'with --write: the server’s host name where the file is read, as in a container', hostName)
    .addHelpText(
      'after',
      '\nExample:\n  $ eval "$(registrar env)"\n  $ registrar env --write .env --map DB_HOST=PGHOST',
    )
    .action(async (options: EnvOptions) => {
      if (options.write === undefined && (options.host !== undefined || options.map.size > 0))
        throw onlyWith('--write');
      await session.withRegistrar(async (registrar) => {
        const environment = await connect(registrar, options, session);
        if (environment && options.write !== undefined) return write(session, options.write, environment, options);
        if (environment) print(session, environment, options);
        else if (!output.json) context.stdout.write(refusalForShell(context) ?? '');
      });
    });

  addSelection(program.command('exec'))
    .description('run a command with the variables of the folder’s project; run nothing if there is any doubt')
    .usage('[options] -- COMMAND [ARGUMENTS…]')
    .argument('<command...>', 'the command to run, after --')
    // Without `--`, the command's options are not misspellings of ours, so no option is proposed.
    .allowUnknownOption(!context.argv.includes('--'))
    .addHelpText('after', '\nExample:\n  $ registrar exec --expect shop -- npm run migrate')
    .action(async (words: string[], options: Selection) => {
      const [command = '', ...args] = commandAfterDashes(context.argv, words);
      // Stays attached until the command has ended, so that the daemon and its server do not exit for lack of users. If
      // the command replaces this process, the daemon watches its process id.
      await session.withRegistrar(async (registrar) => {
        const environment = await connect(registrar, options, session);
        if (!environment) return;
        const inherited = { ...context.environment };
        for (const name of libpqVariables) inherited[name] = undefined;
        session.status = await run(session, command, args, { ...inherited, ...environment });
      });
    });
}

interface EnvOptions extends Selection {
  dotenv?: true;
  shell: Shell;
  write?: string;
  map: Map<string, string>;
  host?: string;
}

function print(session: CliSession, environment: Record<string, string>, options: EnvOptions): void {
  const { output } = session;
  if (output.json || !options.dotenv) {
    output.answer(environment, () => shellText(environment, options.shell));
    return;
  }
  const { text, leftOut } = dotenvText(environment);
  output.answer(environment, () => text);
  sayLeftOut(session, leftOut);
}

async function write(
  session: CliSession,
  file: string,
  environment: Record<string, string>,
  { map, host }: EnvOptions,
): Promise<void> {
  const { context, output } = session;
  const path = session.directory(file);
  const given = host === undefined ? environment : withHost(environment, host);
  let edited: EditedFile | null = null;
  const done = await context.writeEnvironmentFile(path, (before) => {
    edited = editEnvironmentFile(before, given, map);
    return edited.bytes;
  });
  const { set = [], leftOut = [], misleading = [] } = (edited as EditedFile | null) ?? {};
  output.answer({ file: path, done, set, leftOut }, ({ home }) =>
    done === 'unchanged'
      ? `${shown(path, home)} is already up to date.`
      : `${shown(path, home)}: ${set.join(', ')} ${done === 'created' ? 'written to a new file' : 'set'}.`,
  );
  sayLeftOut(session, leftOut);
  for (const name of misleading) {
    output.progress(
      () => `warning: ${file} also sets ${name}, which leads PostgreSQL’s own clients elsewhere. Remove it.`,
    );
  }
}

function sayLeftOut({ output }: CliSession, leftOut: readonly string[]): void {
  for (const name of leftOut) {
    output.progress(
      () =>
        `warning: ${name} was left out, because no quoting works in every program. DATABASE_URL has it, percent-encoded.`,
    );
  }
}

/**
 * What a shell that evaluates the output of `env` gets if there is no project: empty output would pass for success and
 * leave the shell's variables in place. Null for every other command; a terminal evaluates nothing.
 */
export function refusalForShell({ argv, stdout }: Pick<CliContext, 'argv' | 'stdout'>): string | null {
  const command = argv.find((word, index) => !word.startsWith('-') && argv[index - 1] !== '--database-url');
  if (command !== 'env' || stdout.isTTY) return null;
  if (argv.some((word) => /^--(?:json|dotenv|write|help)(?:=|$)|^-h$/.test(word))) return null;
  const given = argv.map((word, index) => (word === '--shell' ? argv[index + 1] : /^--shell=(.*)$/.exec(word)?.[1]));
  return `${refusedText(shells.find((shell) => given.includes(shell)) ?? 'sh')}\n`;
}

function mapped(pair: string, before: Map<string, string>): Map<string, string> {
  const [, key, variable = ''] = /^([A-Za-z_][\w.-]*)=(\w+)$/.exec(pair) ?? [];
  if (
    key === undefined ||
    !['DATABASE_URL', 'PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD', 'PGSSLMODE'].includes(variable)
  ) {
    throw new InvalidArgumentError('Write KEY=VARIABLE, such as DB_HOST=PGHOST.');
  }
  return new Map([...before, [key, variable]]);
}

function hostName(name: string): string {
  if (/^[\w.:-]+$/.test(name)) return name;
  throw new InvalidArgumentError('It must be a host name or an IP address.');
}

function onlyWith(option: string): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `--map and --host need ${option}.`,
    hint: 'registrar env --write FILE',
  });
}

/** The connection to the project, or null after the refusal was printed. Warnings go to standard error. */
async function connect(
  registrar: RegistrarApi,
  options: Selection,
  session: CliSession,
): Promise<Record<string, string> | null> {
  const { resolution, environment }: Connection = await registrar.connection(selected(options, session));
  const text = resolutionText.bind(null, resolution);
  session.status = statusOfResolution(resolution);
  if (environment && resolution.outcome === 'resolved') {
    if (resolution.warnings.length > 0) session.output.progress((view) => text(view, selectionText(options)));
    return environment;
  }
  if (session.status === 0) session.status = 1;
  session.output.refusal(resolution, (view) => text(view));
  return null;
}

/** Without the two dashes, the command's options could pass for ours, or ours for the command's. */
function commandAfterDashes(argv: readonly string[], words: readonly string[]): readonly string[] {
  const after = argv.slice(argv.indexOf('--') + 1);
  if (argv.includes('--') && after.length === words.length) return words;
  const command = words.find((word) => !word.startsWith('-')) ?? 'COMMAND';
  throw new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: 'Two dashes (--) are missing before the command to run.',
    hint: `registrar exec -- ${command} …`,
  });
}

/** Gives the status that a shell gives, also for a command that could not be run. */
async function run(
  { context, output }: CliSession,
  command: string,
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<number> {
  try {
    return await context.run(command, args, environment);
  } catch (error) {
    if (!(error instanceof CommandNotRun)) throw error;
    output.error(error.report);
    return error.status;
  }
}
