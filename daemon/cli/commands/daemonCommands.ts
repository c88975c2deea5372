import type { Command } from 'commander';
import type { CliSession } from '../cliSession.ts';
import { statusText } from '../statusText.ts';
import { shown } from '../terminalText.ts';
import type { TextView } from '../terminalText.ts';

/** `status`, `serve`, `stop` and `log`: the process that all windows, terminals and agents share. */
export function addDaemonCommands(program: Command, session: CliSession): void {
  const { context, output } = session;

  program
    .command('status')
    .description('show what the daemon does now: address, windows, agents, deliveries, memory; start nothing')
    .addHelpText('after', '\nExample:\n  $ registrar status')
    .action(async () => {
      const status = await context.daemon.status();
      output.answer({ running: status !== null, ...status }, (view) =>
        status ? statusText(status, view) : notRunning(view),
      );
      session.status = status ? 0 : 3;
    });

  program
    .command('serve')
    .description('start the daemon (commands that need it start it by themselves)')
    .option('--foreground', 'run the daemon in this terminal until Ctrl-C')
    .addHelpText('after', '\nExample:\n  $ registrar serve --foreground')
    .action(async (options: { foreground?: true }) => {
      const databaseUrl = session.checkedDatabaseUrl();
      if (!options.foreground) {
        const status = await context.daemon.start(databaseUrl);
        output.answer(status, () => `The daemon is running in the background (process ${status.pid}).`);
        return;
      }
      // Before it serves anybody, because a client may tell it to stop as soon as it has an answer.
      const stopped = context.untilStopped();
      const own = await context.daemon.become(databaseUrl);
      if (!own) {
        output.answer(
          { running: true, isThisProcess: false },
          () => 'The daemon is already running: registrar status.',
        );
        return;
      }
      output.answer({ running: true, isThisProcess: true, pid: own.pid }, ({ paint }) =>
        paint('dim', `Serving as process ${own.pid} until Ctrl-C.`),
      );
      await Promise.race([stopped, own.ended]);
      await own.end();
    });

  program
    .command('stop')
    .description('stop the daemon once it has finished its work, and the bundled PostgreSQL unless somebody uses it')
    .addHelpText('after', '\nExample:\n  $ registrar stop')
    .action(async () => {
      const hasRun = await context.daemon.stop();
      output.answer({ stopped: hasRun }, () => (hasRun ? 'Stopped.' : 'The daemon was not running.'));
    });

  program
    .command('log')
    .description('print the daemon’s log')
    .option('-f, --follow', 'keep printing new lines until Ctrl-C')
    .addHelpText('after', '\nExample:\n  $ registrar log -f')
    .action(async (options: { follow?: true }) => {
      const stop = new AbortController();
      if (options.follow) {
        void context.untilStopped().then(() => {
          stop.abort();
        });
      }
      const entries: unknown[] = [];
      for await (const line of context.daemon.log(options.follow ?? false, stop.signal)) {
        // While following, one document could not end, so each entry is a document.
        if (output.json && options.follow) context.stdout.write(`${line}\n`);
        else if (output.json) entries.push(entryOf(line));
        else context.stdout.write(`${lineText(line, context.home)}\n`);
      }
      if (output.json && !options.follow) output.answer({ entries }, () => '');
    });
}

function notRunning({ paint }: TextView): string {
  return `The daemon is not running.\n${paint('cyan', 'next:')} any command that needs it starts it; or: registrar serve`;
}

function entryOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Cut by a crash.
  }
  return { msg: line };
}

function lineText(line: string, home: string): string {
  const { time, level, msg, ...fields } = entryOf(line);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const parts = [time, level, msg].filter((part) => typeof part === 'string');
  return shown([...parts, ...rest].join('  '), home);
}
