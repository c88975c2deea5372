import type { Command } from 'commander';
import type { RegistrarApi } from '../../protocol/methods.ts';
import type { ListedProject } from '../../protocol/model.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { durationMs } from '../duration.ts';
import { projectsText, unusedText } from '../projectsText.ts';

/** `projects list`: all of them, or those that nobody has used for a while. */
export function addProjectListCommand(projects: Command, session: CliSession): void {
  projects
    .command('list')
    .description('list all projects, and whether the registry knows them yet')
    .option('--query <text>', 'only names that contain this text, in any case', saying)
    .option(
      '--unused <time>',
      'only projects unused for this long (12h, 60d, 8w), with creator, last use and size',
      durationMs,
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ registrar projects list --query shop\n  $ registrar projects list --unused 60d',
    )
    .action(async ({ query = null, unused }: { query?: string | null; unused?: number }) => {
      if (unused === undefined) {
        const found = await session.withRegistrar((registrar) => allProjects(registrar, query));
        session.output.answer({ projects: found }, (view) => projectsText(found, query, view));
        return;
      }
      const found = await session.withRegistrar((registrar) => registrar.unusedProjects({ unusedMs: unused, query }));
      session.output.answer(found, (view) => unusedText(found, view));
    });
}

/** Every project, page by page. */
export async function allProjects(registrar: RegistrarApi, query: string | null): Promise<ListedProject[]> {
  const found: ListedProject[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<RegistrarApi['listProjects']>> = await registrar.listProjects({
      query,
      cursor,
      limit: 1000,
    });
    found.push(...page.projects);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}
