import { basename } from 'node:path';
import type { Command } from 'commander';
import { commandText, optionWords, registrarCommand } from '../../protocol/commandText.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { readAnswer } from '../readAnswer.ts';
import { shown } from '../terminalText.ts';

/** Which project is meant, as several commands take it. */
export interface Selection {
  directory?: string;
  project?: string;
  expect?: string;
}

/** `resolve`, `use` and `init`: which project a folder belongs to. */
export function addResolveCommands(program: Command, session: CliSession): void {
  addSelection(program.command('resolve'))
    .description('show which project a folder belongs to, and why; create it if the config file names a new one')
    .option('--dry-run', 'show what would happen, and change nothing')
    .addHelpText('after', '\nExample:\n  $ registrar resolve --directory ~/shop --dry-run')
    .action(async (options: Selection & { dryRun?: true }) => {
      const resolution = await session.withRegistrar((registrar) =>
        registrar.resolve({ ...selected(options, session), dryRun: options.dryRun ?? false }),
      );
      session.finishWith(resolution, selectionText(options));
    });

  program
    .command('use')
    .description('bind a folder to an existing project: its id and name go into the config file')
    .argument('[project]', 'id or name', saying)
    .option('--directory <dir>', 'the folder (default: the current one)', saying)
    .option('--local', 'bind it on this machine only; change no file')
    .option('--confirm <origin>', 'the origin of the project’s repository, if the folder has a different one', saying)
    .option('--remove', 'with --local: remove the binding')
    .addHelpText(
      'after',
      '\nExample:\n  $ registrar use shop --directory ~/shop-payments\n  $ registrar use shop --local\n  $ registrar use --local --remove',
    )
    .action(async (project: string | undefined, options: UseOptions) => {
      const directory = session.directory(options.directory);
      if (options.remove === true) {
        if (project !== undefined || options.local !== true) throw wrongRemoval();
        session.finishWith(await session.withRegistrar((registrar) => registrar.removeBinding({ directory })));
        return;
      }
      if (project === undefined) throw noProjectNamed();
      const { local, confirm } = options;
      const params = { project, directory, ...(local === true ? { local } : {}) };
      const resolution = await session.withRegistrar(async (registrar) => {
        try {
          return await registrar.useProject({ ...params, ...(confirm === undefined ? {} : { confirm }) });
        } catch (error) {
          const typed = confirm === undefined ? await typedOrigin(error, session) : null;
          if (typed === null) throw withSameWords(error, 'use', project, options);
          return registrar.useProject({ ...params, confirm: typed });
        }
      });
      session.finishWith(resolution, selectionText(options));
    });

  program
    .command('init')
    .description('create a project for a folder: a database, and the config file that names it')
    .argument('[name]', 'letters, digits, space, - and _ (default: the folder’s name)', saying)
    .option('--directory <dir>', 'the folder (default: the current one)', saying)
    .option('--local', 'remember the project on this machine only; change no file')
    .addHelpText('after', '\nExample:\n  $ registrar init shop\n  $ registrar init shop-of-mine --local')
    .action(async (given: string | undefined, options: { directory?: string; local?: true }) => {
      const directory = session.directory(options.directory);
      const name = given ?? basename(directory);
      const resolution = await session.withRegistrar((registrar) =>
        registrar
          .createProject({ name, directory, ...(options.local === true ? { local: true } : {}) })
          .catch((error: unknown) => {
            throw withSameWords(error, 'init', name, options);
          }),
      );
      session.finishWith(resolution, selectionText(options));
    });
}

interface UseOptions {
  directory?: string;
  local?: true;
  confirm?: string;
  remove?: true;
}

/** Asked only on a terminal: whoever shares another repository's database has to know whose it is. */
async function typedOrigin(error: unknown, session: CliSession): Promise<string | null> {
  if (!(error instanceof RegistrarError) || error.code !== 'CONFIRMATION_REQUIRED') return null;
  const message = shown(error.message.replace(/ Nothing was done\.$/, ''), session.context.home);
  return readAnswer(session.context, `${message}\nTo share it, type the origin of that project's repository: `);
}

/** The command that was typed, with what the error says is missing: the error's own hint cannot know the options. */
function withSameWords(
  error: unknown,
  command: 'use' | 'init',
  name: string,
  { directory, local }: { directory?: string; local?: true },
): unknown {
  if (!(error instanceof RegistrarError)) return error;
  const { origin, proposal } = error.details ?? {};
  const options = local === true ? { local, directory } : { directory };
  if (error.code === 'CONFIRMATION_REQUIRED' && typeof origin === 'string') {
    const hint = registrarCommand(command, [name], { ...options, confirm: origin });
    return new RegistrarError({ ...error.toReport(), hint });
  }
  if (error.code === 'NAME_INVALID' && typeof proposal === 'string') {
    return new RegistrarError({ ...error.toReport(), hint: registrarCommand(command, [proposal], options) });
  }
  return error;
}

function wrongRemoval(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: '--remove removes a local binding and takes no project.',
    hint: 'registrar use --local --remove',
  });
}

function noProjectNamed(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: 'No project was named.',
    hint: 'registrar projects list (lists them) | registrar use PROJECT (bind the folder to one)',
  });
}

export function addSelection(command: Command): Command {
  return command
    .option('--directory <dir>', 'the folder to resolve (default: the current one)', saying)
    .option('--project <project>', 'use this project, by id or name, whatever the folder says', saying)
    .option('--expect <project>', 'refuse every project except this one', saying);
}

export function selected(
  { directory, project, expect }: Selection,
  session: CliSession,
): {
  directory: string;
  project: string | null;
  expect: string | null;
} {
  return { directory: session.directory(directory), project: project ?? null, expect: expect ?? null };
}

/** The options that lead to the same project when they are given to another command. */
export function selectionText({ directory, project }: Selection): string {
  const words = optionWords({ directory, project });
  return words.length === 0 ? '' : ` ${commandText(words)}`;
}
