import type { Command } from 'commander';
import { saying, type CliSession } from '../cliSession.ts';
import { durationMs } from '../duration.ts';
import { eventsText } from '../eventsText.ts';

const week = 604_800_000;

/** `events`: who did what to which project, as the registry keeps it. */
export function addEventsCommand(program: Command, session: CliSession): void {
  program
    .command('events')
    .description('who made, used, renamed, forgot and dropped which project, the newest first')
    .option('--project <project>', 'only of this project, an id or any name that it had', saying)
    .option('--since <time>', 'only this far back (12h, 7d, 8w; 7d when absent)', durationMs)
    .addHelpText(
      'after',
      '\nOnce a day for each project the registry also notes who was handed it (handed over), and for each\n' +
        'folder that it was refused (refused).\n\nExample:\n  $ registrar events --project shop --since 30d',
    )
    .action(async ({ project = null, since = week }: { project?: string | null; since?: number }) => {
      const found = await session.withRegistrar((registrar) => registrar.listEvents({ project, sinceMs: since }));
      session.output.answer(found, (view) => eventsText(found, view));
    });
}
