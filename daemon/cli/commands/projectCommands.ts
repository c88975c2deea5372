import type { Command } from 'commander';
import { registrarCommand } from '../../protocol/commandText.ts';
import type { RegistrarApi } from '../../protocol/methods.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { projectText } from '../projectsText.ts';
import { readAnswer } from '../readAnswer.ts';
import { shown } from '../terminalText.ts';
import { addProjectListCommand } from './projectListCommand.ts';
import { selectionText } from './resolveCommands.ts';

/** `projects …`: what the registry holds, and changing it. */
export function addProjectCommands(program: Command, session: CliSession): void {
  const projects = program
    .command('projects')
    .description('list, show, create, rename, adopt, forget, drop and remake projects')
    .addHelpText('after', '\nExample:\n  $ registrar projects list --query shop');
  addProjectListCommand(projects, session);
  addShow(projects, session);
  addChanges(projects, session);
  addDrop(projects, session);
  addRemake(projects, session);
}

function addShow(projects: Command, session: CliSession): void {
  projects
    .command('show')
    .description('show what the registry knows about a project')
    .argument('<project>', 'id or name', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects show shop')
    .action(async (project: string) => {
      const found = await session.withRegistrar((registrar) => registrar.showProject({ project }));
      session.output.answer(found, (view) => projectText(found, view));
    });
}

function addChanges(projects: Command, session: CliSession): void {
  projects
    .command('create')
    .description('create a project and its database and, for a folder, its config file')
    .argument('<name>', 'letters, digits, space, - and _', saying)
    .option('--directory <dir>', 'the folder that gets the config file', saying)
    .option('--description <text>', 'a description of the project')
    .addHelpText('after', '\nExample:\n  $ registrar projects create shop --directory .')
    .action(async (name: string, options: { directory?: string; description?: string }) => {
      const directory = options.directory === undefined ? null : session.directory(options.directory);
      const description = options.description ?? null;
      const resolution = await session.withRegistrar((registrar) =>
        registrar.createProject({ name, directory, description }),
      );
      session.finishWith(resolution, selectionText(directory === null ? { project: name } : options));
    });

  projects
    .command('rename')
    .description('rename a project; its id and its database stay the same')
    .argument('<project>', 'id or name', saying)
    .argument('<name>', 'the new name', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects rename shop "web shop"')
    .action(async (project: string, name: string) => {
      const resolution = await session.withRegistrar((registrar) => registrar.updateProject({ project, name }));
      session.finishWith(resolution, selectionText({ project: name }));
    });

  projects
    .command('adopt')
    .description('register an existing database: a forgotten project’s, or one without a project')
    .argument('<database>', 'its name, cb_proj_…', saying)
    .option('--name <name>', 'the project’s name (default: the one in the database’s marker)', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects adopt cb_proj_shop_1f2e3d4c')
    .action(async (database: string, { name = null }: { name?: string | null }) => {
      const resolution = await session.withRegistrar((registrar) => registrar.adoptDatabase({ database, name }));
      const project = resolution.project?.name ?? name;
      session.finishWith(resolution, project === null ? '' : selectionText({ project }));
    });

  projects
    .command('forget')
    .description('remove a project from the registry; its data stays')
    .argument('<project>', 'id or name', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects forget shop')
    .action(async (project: string) => {
      const forgotten = await session.withRegistrar((registrar) => registrar.forgetProject({ project }));
      session.output.answer(forgotten, ({ paint, home }) =>
        [
          `${paint('bold', shown(forgotten.project.name, home))} is forgotten. Its database ${shown(forgotten.databaseName, home)} is untouched.`,
          `${paint('cyan', 'next:')} ${registrarCommand('projects adopt', [forgotten.databaseName])} brings it back`,
        ].join('\n'),
      );
    });
}

function addDrop(projects: Command, session: CliSession): void {
  projects
    .command('drop')
    .description('destroy a project: its database with everything in it, and its registry entry')
    .argument('<project>', 'id or name', saying)
    .option('--confirm <database>', 'the name of the database to destroy', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects drop shop --confirm cb_proj_shop_1f2e3d4c')
    .action(async (project: string, options: { confirm?: string }) => {
      const dropped = await session.withRegistrar(async (registrar) =>
        registrar.dropProject(
          await withTypedName(
            { project, ...options },
            (name, database) => `Dropping ${name} destroys database ${database} with everything in it.`,
            registrar,
            session,
          ),
        ),
      );
      session.output.answer(
        dropped,
        ({ paint, home }) =>
          `${paint('bold', shown(dropped.project.name, home))} is dropped. Its database ${shown(dropped.databaseName, home)} is gone.`,
      );
    });
}

function addRemake(projects: Command, session: CliSession): void {
  projects
    .command('remake')
    .description('create a new, empty database for a project whose database is gone')
    .argument('<project>', 'id or name', saying)
    .option('--confirm <database>', 'the name of the database to create again, empty', saying)
    .addHelpText('after', '\nExample:\n  $ registrar projects remake shop --confirm cb_proj_shop_1f2e3d4c')
    .action(async (project: string, options: { confirm?: string }) => {
      const resolution = await session.withRegistrar(async (registrar) =>
        registrar.remakeProject(
          await withTypedName(
            { project, ...options },
            (name, database) => `This creates database ${database} of ${name} again, empty, if it is gone.`,
            registrar,
            session,
          ),
        ),
      );
      session.finishWith(resolution, selectionText({ project }));
    });
}

/**
 * What a command says of a project's database: the name that its option gives, or that a person types after the question.
 *
 * @param consequence says what will be done, of the project's and the database's name
 */
async function withTypedName(
  { project, confirm }: { project: string; confirm?: string },
  consequence: (name: string, databaseName: string) => string,
  registrar: Pick<RegistrarApi, 'showProject'>,
  session: CliSession,
): Promise<{ project: string; confirm: string | null }> {
  if (confirm !== undefined) return { project, confirm };
  const { id, name, databaseName } = await registrar.showProject({ project });
  const question = `${consequence(shown(name, ''), shown(databaseName, ''))}\nTo continue, type the name of the database: `;
  // By id: the question was about this project, whichever one has the name by now.
  return { project: id, confirm: await readAnswer(session.context, question) };
}
