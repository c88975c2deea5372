import { join } from 'node:path';
import type { Command } from 'commander';
import type { RegistrarApi } from '../../protocol/methods.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { statusOfResolution } from '../exitStatus.ts';
import { resolutionText } from '../resolutionText.ts';
import { syncText } from '../syncText.ts';
import { shown } from '../terminalText.ts';
import { selectionText } from './resolveCommands.ts';

/** `start` and `sync`: keeping projects known to the registry. */
export function addServeCommands(program: Command, session: CliSession): void {
  const { context, output } = session;

  program
    .command('start')
    .description('resolve a workspace, on the bundled PostgreSQL unless an address is set, and keep running')
    .argument('[dir]', 'the workspace (default: a sample, whose path is printed)', saying)
    .option('--once', 'exit after printing')
    .addHelpText('after', '\nExample:\n  $ registrar start ~/shop --once')
    .action(async (dir: string | undefined, options: { once?: true }) => {
      const directory = dir === undefined ? await context.sampleWorkspace() : session.directory(dir);
      if (dir === undefined)
        output.note(({ home }) => `No folder was given; this is a sample: ${shown(directory, home)}`);
      await session.withRegistrar((registrar) => stay(registrar, session, directory, options.once ?? false), {
        bundledUnlessChosen: true,
        ownDaemon: true,
      });
    });

  program
    .command('sync')
    .description('register what the registry does not know yet, and show what is left')
    .addHelpText('after', '\nExample:\n  $ registrar sync')
    .action(async () => {
      const sync = await session.withRegistrar((registrar) => registrar.syncNow());
      output.answer(sync, (view) => syncText(sync, view));
      session.status = sync.pending.length + sync.parked.length > 0 ? 1 : 0;
    });
}

/** Prints the answer, then keeps running until the user stops it, unless `once`. */
async function stay(
  registrar: RegistrarApi,
  session: CliSession,
  directory: string | null,
  once: boolean,
): Promise<void> {
  const { context, output } = session;
  // Asked first, so that from here on Ctrl-C shuts down gracefully, with the server closed.
  const stopped = once ? null : context.untilStopped();
  const resolution = directory === null ? null : await registrar.resolve({ directory });
  const sync = await registrar.syncStatus();
  const server = registrar.server();
  const status = await context.daemon.status();
  const mcpUrl = status?.mcpUrl ?? null;
  output.answer({ server, resolution, sync, mcpUrl }, (view) =>
    [
      ...(resolution && directory !== null ? [resolutionText(resolution, view, selectionText({ directory })), ''] : []),
      `server: ${shown(server.address, view.home)} (${server.source === 'bundled' ? 'bundled' : 'yours'})`,
      syncText(sync, view),
      mcpUrl === null ? 'agents: over stdio only' : `agents: ${mcpUrl}`,
      // In a checkout, or with the extension alone, it is not on PATH.
      ...(status ? [`command: ${shown(join(status.stateFolder, 'bin', 'registrar'), view.home)}`] : []),
      `${view.paint('cyan', 'next:')} registrar connect (shows how to connect an agent)`,
    ].join('\n'),
  );
  if (stopped === null) {
    session.status = resolution ? statusOfResolution(resolution) : 0;
    return;
  }
  output.note(({ paint }) => paint('dim', 'Running until Ctrl-C.'));
  await stopped;
  output.note(() => 'Stopped.');
}
