import type { Command } from 'commander';
import { commandText, optionWords } from '../../protocol/commandText.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';

/** Which project is meant, as several commands take it. */
export interface Selection {
  directory?: string;
  project?: string;
  expect?: string;
}

/** `resolve` and `use`: which project a folder belongs to. */
export function addResolveCommands(program: Command, session: CliSession): void {
  addSelection(program.command('resolve'))
    .description('say which project a folder belongs to, and why; make it when its config file asks for it')
    .option('--dry-run', 'say what would happen and change nothing')
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
    .argument('<project>', 'id or name', saying)
    .option('--directory <dir>', 'the folder (default: the current one)', saying)
    .addHelpText('after', '\nExample:\n  $ registrar use shop --directory ~/shop-payments')
    .action(async (project: string, options: { directory?: string }) => {
      const directory = session.directory(options.directory);
      const resolution = await session.withRegistrar((registrar) => registrar.useProject({ project, directory }));
      session.finishWith(resolution, selectionText(options));
    });
}

export function addSelection(command: Command): Command {
  return command
    .option('--directory <dir>', 'the folder to resolve (default: the current one)', saying)
    .option('--project <project>', 'this project, by id or name, whatever the folder says', saying)
    .option('--expect <project>', 'refuse any project but this one', saying);
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
