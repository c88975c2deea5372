import type { Command } from 'commander';
import { saying, type CliSession } from '../cliSession.ts';
import { durationMs } from '../duration.ts';
import { eventsText } from '../eventsText.ts';

const week = 604_800_000;

/** `events`: who did what to which project, as the registry keeps it. */
export function addEventsCommand(program: Command, session: CliSession): void {
  program
    .command('events')
    .description('list who created, used, renamed, forgot and dropped which project, newest first')
    .option('--project <project>', 'only this project: its id, or any name it has had', saying)
    .option('--since <time>', 'how far back (12h, 7d, 8w; default: 7d)', durationMs)
    .addHelpText(
      'after',
      '\nOnce a day for each project, the registry also records who got its database (handed over),\n' +
        'and which folder was refused it (refused).\n\nExample:\n  $ registrar events --project shop --since 30d',
    )
    .action(async ({ project = null, since = week }: { project?: string | null; since?: number }) => {
      const found = await session.withRegistrar((registrar) => registrar.listEvents({ project, sinceMs: since }));
      session.output.answer(found, (view) => eventsText(found, view));
    });
}
