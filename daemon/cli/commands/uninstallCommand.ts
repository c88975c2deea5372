import type { Command } from 'commander';
import type { ListedProject, ServerLabel } from '../../protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../../protocol/registrarError.ts';
import type { FoundHere } from '../cliContext.ts';
import type { CliSession } from '../cliSession.ts';
import { readAnswer } from '../readAnswer.ts';
import { errorText } from '../resolutionText.ts';
import { shown, type TextView } from '../terminalText.ts';
import { allProjects } from './projectListCommand.ts';

interface Databases {
  server: ServerLabel;
  projects: { name: string; databaseName: string }[];
}

/** What would be removed and what would stay, also as JSON. */
interface Plan extends FoundHere {
  /** Null when no PostgreSQL answers; `databasesUnknown` then says why, if one was chosen. */
  databases: Databases | null;
  databasesUnknown: ErrorReport | null;
}

/** `uninstall`: removes what Registrar keeps on this machine, and nothing on a server of the user's own. */
export function addUninstallCommand(program: Command, session: CliSession): void {
  const { context, output } = session;
  program
    .command('uninstall')
    .description('show what Registrar keeps on this machine, and remove it; databases on your own server stay')
    .option('--confirm', 'remove it without asking')
    .addHelpText('after', '\nExample:\n  $ registrar uninstall')
    .action(async (options: { confirm?: true }) => {
      const uninstall = context.uninstall();
      const found = await uninstall.found();
      if (found.entries.length === 0 && found.bundledData === null && found.agents.length === 0) {
        const nothing = { removed: false, ...found };
        output.answer(nothing, ({ home }) => `There is nothing in ${shown(found.stateFolder, home)} to remove.`);
        return;
      }
      const plan = { ...found, ...(await databasesOf(session)) };
      if (!options.confirm) {
        if (!output.json) output.note((view) => planText(plan, view));
        const answer = await readAnswer(context, 'To remove it, type yes: ');
        if (answer !== 'yes') throw confirmationRequired(plan);
      }
      // Listing the databases may have started a daemon.
      await context.daemon.stop();
      const { failures, left } = await uninstall.remove();
      session.status = failures.length === 0 ? 0 : 1;
      output.answer({ removed: true, ...plan, failures, left }, (view) =>
        [
          'Removed.',
          ...failures.map((failure) => errorText(failure, view)),
          ...(left.length === 0
            ? []
            : [`Kept, because Registrar did not put it there: ${shown(left.join(', '), view.home)}`]),
          `${view.paint('cyan', 'next:')} remove the program itself: the extension in VS Code, or npm uninstall --global project-registrar`,
        ].join('\n'),
      );
    });
}

async function databasesOf(session: CliSession): Promise<Pick<Plan, 'databases' | 'databasesUnknown'>> {
  try {
    const databases = await session.withRegistrar(async (registrar) => ({
      server: registrar.server(),
      projects: (await allProjects(registrar, null)).map(({ name, databaseName }: ListedProject) => ({
        name,
        databaseName,
      })),
    }));
    return { databases, databasesUnknown: null };
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    return { databases: null, databasesUnknown: error.code === 'POSTGRES_NOT_CHOSEN' ? null : error.toReport() };
  }
}

function planText({ stateFolder, bundledData, agents, databases, databasesUnknown }: Plan, view: TextView): string {
  const { home, paint } = view;
  const isBundled = databases?.server.source === 'bundled';
  const projects =
    databases?.projects.map(({ name, databaseName }) => `    ${shown(databaseName, home)}  ${shown(name, home)}`) ?? [];
  return [
    'Registrar would remove:',
    `  ${shown(stateFolder, home)}   settings, log, launcher, and projects that are not registered yet`,
    ...(bundledData === null
      ? []
      : [`  ${shown(bundledData, home)}   the bundled PostgreSQL ${paint('bold', 'with all its databases')}`]),
    ...(isBundled ? projects : []),
    ...agents.map(({ agent, file }) => `  the entry for ${agent} in ${shown(file, home)}`),
    ...(databases && !isBundled
      ? [
          `It would keep, on ${shown(databases.server.address, home)}: the registry and its projects’ databases`,
          ...projects,
        ]
      : []),
    ...(databasesUnknown
      ? [`What is on your server stays. Registrar could not list it: ${shown(databasesUnknown.message, home)}`]
      : []),
  ].join('\n');
}

function confirmationRequired(plan: Plan): RegistrarError {
  return new RegistrarError({
    code: 'CONFIRMATION_REQUIRED',
    message: 'Nothing was removed.',
    hint: 'registrar uninstall --confirm',
    details: { ...plan },
  });
}
