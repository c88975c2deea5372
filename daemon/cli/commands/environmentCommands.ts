import type { Command } from 'commander';
import type { Connection, RegistrarApi } from '../../protocol/methods.ts';
import { libpqVariables } from '../../protocol/libpqVariables.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { CliSession } from '../cliSession.ts';
import { CommandNotRun } from '../exec/commandNotRun.ts';
import { dotenvText, misleadingVariables, shellText } from '../environmentText.ts';
import { statusOfResolution } from '../exitStatus.ts';
import { resolutionText } from '../resolutionText.ts';
import { addSelection, selected, selectionText } from './resolveCommands.ts';
import type { Selection } from './resolveCommands.ts';

/** `env` and `exec`: the project's database for programs that know nothing of Registrar. */
export function addEnvironmentCommands(program: Command, session: CliSession): void {
  const { context, output } = session;

  addSelection(program.command('env'))
    .description('print PGHOST … DATABASE_URL of the folder’s project, password included, for a shell or a program')
    .option('--dotenv', 'as lines for a .env file')
    .addHelpText('after', '\nExample:\n  $ eval "$(registrar env)"\n  $ registrar env --dotenv > .env')
    .action(async (options: Selection & { dotenv?: true }) => {
      const print = async (registrar: RegistrarApi): Promise<void> => {
        const environment = await connect(registrar, options, session);
        if (!environment) return;
        output.answer(environment, () =>
          options.dotenv
            ? dotenvText(environment)
            : shellText(environment, misleadingVariables(context.environment, environment)),
        );
      };
      await session.withRegistrar(print);
    });

  addSelection(program.command('exec'))
    .description('run a command in the environment of the folder’s project; nothing runs when there is any doubt')
    .usage('[options] -- COMMAND [ARGUMENTS…]')
    .argument('<command...>', 'what to run, after --')
    // Without the dashes, options of the command are not misspelt ones of ours.
    .allowUnknownOption(!context.argv.includes('--'))
    .addHelpText('after', '\nExample:\n  $ registrar exec --expect shop -- npm run migrate')
    .action(async (words: string[], options: Selection) => {
      const [command = '', ...args] = commandAfterDashes(context.argv, words);
      // Attached until the command has ended, so that the daemon and its server do not end for want of users; where the
      // command takes this process's place, the daemon goes by its id.
      await session.withRegistrar(async (registrar) => {
        const environment = await connect(registrar, options, session);
        if (!environment) return;
        const inherited = { ...context.environment };
        for (const name of libpqVariables) inherited[name] = undefined;
        session.status = await run(session, command, args, { ...inherited, ...environment });
      });
    });
}

/** What connects to the project, or null after the refusal was printed. Its warnings go beside the output, not into it. */
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

/** Without the two dashes, an option of the command would be taken for one of ours, or ours for its. */
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
