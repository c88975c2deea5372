import { Command, CommanderError } from 'commander';
import type { ErrorReport } from '../protocol/registrarError.ts';
import { reportOf } from '../protocol/registrarError.ts';
import { withoutPasswords } from './addressPassword.ts';
import type { CliContext } from './cliContext.ts';
import { CliOutput } from './cliOutput.ts';
import { CliSession, saying } from './cliSession.ts';
import { addConnectCommand } from './commands/connectCommand.ts';
import { addDriftCommands } from './commands/driftCommands.ts';
import { addDaemonCommands } from './commands/daemonCommands.ts';
import { addEnvironmentCommands, refusalForShell } from './commands/environmentCommands.ts';
import { addEventsCommand } from './commands/eventsCommand.ts';
import { addMcpCommand } from './commands/mcpCommand.ts';
import { addPostgresCommand } from './commands/postgresCommand.ts';
import { addProjectCommands } from './commands/projectCommands.ts';
import { addResolveCommands } from './commands/resolveCommands.ts';
import { addServeCommands } from './commands/serveCommands.ts';
import { addTrustCommand } from './commands/trustCommand.ts';
import { addUninstallCommand } from './commands/uninstallCommand.ts';
import { statusOfError } from './exitStatus.ts';

/**
 * Runs one `registrar` command to its end. Never throws: every failure is printed, with its code and what to do next.
 *
 * @returns the exit status: 0 done, 1 refused or unresolved, 2 wrong usage, 3 daemon or PostgreSQL unreachable; for
 *   `exec`, that of the command that was run
 */
export async function runCli(context: CliContext): Promise<number> {
  const { argv } = context;
  // Needed before the command line is parsed, because parsing itself may fail.
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const output = new CliOutput(context, { json: own.includes('--json'), colour: !own.includes('--no-color') });
  const program = new Command('registrar');
  const session = new CliSession(context, output, () => program.opts<{ databaseUrl?: string }>().databaseUrl ?? null);
  describeProgram(program, context);
  addResolveCommands(program, session);
  addProjectCommands(program, session);
  addEnvironmentCommands(program, session);
  addServeCommands(program, session);
  addDaemonCommands(program, session);
  addDriftCommands(program, session);
  addEventsCommand(program, session);
  addPostgresCommand(program, session);
  addTrustCommand(program, session);
  addMcpCommand(program, session);
  addConnectCommand(program, session);
  addUninstallCommand(program, session);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return session.status === 0 && !(await output.isWritten()) ? 1 : session.status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return (await output.isWritten()) ? 0 : 1;
    // Commander has then printed the help of the command that lacks a subcommand.
    if (error instanceof CommanderError && error.code === 'commander.help' && !output.json) return 2;
    const report = reportFor(error);
    output.error(report);
    context.stdout.write(refusalForShell(context) ?? '');
    return statusOfError(report.code);
  }
}

function describeProgram(program: Command, { stdout, stderr, version }: CliContext): void {
  program
    .description('Which project does a folder belong to, in which PostgreSQL database, and why?')
    .version(version, '--version', 'print the version')
    .option('--json', 'print one JSON document and nothing else on standard output')
    .option('--database-url <url>', 'use this PostgreSQL (no password in it)', saying)
    .option('--no-color', 'print no colors, as with NO_COLOR')
    .helpOption('-h, --help', 'show how to use a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      // Printed by runCli, like every other error.
      outputError: () => undefined,
    })
    .addHelpText('after', '\nExample:\n  $ registrar resolve --directory ~/shop');
}

function reportFor(error: unknown): ErrorReport {
  if (error instanceof CommanderError) return usageReport(error);
  return reportOf(error, 'Please report it with the command that you ran.', withoutPasswords);
}

function usageReport(error: CommanderError): ErrorReport {
  const hint = 'registrar --help and registrar COMMAND --help list commands and options.';
  if (error.code === 'commander.help') return { code: 'INVALID_ARGUMENT', message: 'A subcommand is missing.', hint };
  // Commander repeats the argument that it does not understand, and puts its suggestion on a line of its own.
  const [message = '', suggestion] = withoutPasswords(error.message.replace(/^error: /, '')).split('\n');
  return { code: 'INVALID_ARGUMENT', message, hint: suggestion?.replace(/^\((.*)\)$/, '$1') ?? hint };
}
