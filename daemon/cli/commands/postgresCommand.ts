import type { Command } from 'commander';
import type { AddressChange } from '../../protocol/control.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { refusePassword } from '../addressPassword.ts';
import type { ChosenPostgres, PostgresFacts } from '../cliContext.ts';
import type { CliSession } from '../cliSession.ts';
import { saying } from '../cliSession.ts';
import { postgresChoices } from '../postgresNotChosen.ts';
import { readPassword } from '../readPassword.ts';
import { serverText } from '../statusText.ts';
import { hintLines } from '../hintText.ts';
import { shown } from '../terminalText.ts';
import type { TextView } from '../terminalText.ts';

/** `postgres`: which server holds the registry and the projects. */
export function addPostgresCommand(program: Command, session: CliSession): void {
  program
    .command('postgres')
    .description('show or choose the PostgreSQL server; an address is tried before it is saved')
    .argument('[choice]', 'show, bundled, or a PostgreSQL URL without password', saying, 'show')
    .option('--save-password', 'save the password in libpq’s password file')
    .addHelpText(
      'after',
      '\nExample:\n  $ registrar postgres postgresql://me@db.example:5432\n  $ registrar postgres URL < password.txt',
    )
    .action(async (choice: string, options: { savePassword?: true }) => {
      if (session.databaseUrl !== null) throw invalid('--database-url applies to one command; it cannot be saved.');
      if (choice === 'show') await show(session);
      else if (choice === 'bundled') await chooseBundled(session);
      else await chooseUrl(session, choice, options.savePassword ?? false);
    });
}

async function show({ context, output }: CliSession): Promise<void> {
  const chosen = await context.describePostgres();
  output.answer(chosen, (view) => [chosenText(chosen, view), ...servedLines(chosen, view)].join('\n'));
}

async function chooseBundled({ context, output }: CliSession): Promise<void> {
  const change = await context.choosePostgres({ kind: 'bundled' }, null);
  const chosen = await context.describePostgres();
  output.answer({ ...chosen, leftBehind: change?.leftBehind ?? [] }, (view) =>
    [chosenText(chosen, view), ...changeLines(change, view), ...overruled(chosen, 'bundled', view)].join('\n'),
  );
}

async function chooseUrl({ context, output }: CliSession, url: string, savePassword: boolean): Promise<void> {
  // Not repeated in the message, because it might be a password.
  if (!/^postgres(?:ql)?:\/\//.test(url) && !url.includes('=')) {
    throw invalid('That is neither show, bundled nor a PostgreSQL URL.');
  }
  refusePassword(
    url,
    'The address',
    'Leave the password out. Registrar asks for it on the terminal, or reads it from standard input.',
  );
  const { facts, password } = await tryAddress(context, url);
  const passwordFile = savePassword && password !== null ? await context.savePassword(url, password) : null;
  const change = await context.choosePostgres({ kind: 'url', url }, password);
  const chosen = await context.describePostgres();
  output.answer({ ...chosen, server: facts, passwordFile, leftBehind: change?.leftBehind ?? [] }, (view) =>
    [
      factsText(facts, view),
      chosenText(chosen, view),
      ...changeLines(change, view),
      ...passwordLines(password, passwordFile, change !== null, view),
      ...overruled(chosen, 'url', view),
    ].join('\n'),
  );
}

/** Tries without a password first: the server may require none, or the password file may have it. */
async function tryAddress(
  context: CliSession['context'],
  url: string,
): Promise<{ facts: PostgresFacts; password: string | null }> {
  try {
    return { facts: await context.tryPostgres(url, null), password: null };
  } catch (error) {
    if (!(error instanceof RegistrarError) || error.code !== 'CREDENTIALS_REQUIRED') throw error;
    // 28000: the server does not let this user in from here, whatever the password.
    if (error.details?.['sqlState'] === '28000') throw error;
    const password = await readPassword(context, 'Password: ');
    if (password === null) throw error;
    return { facts: await context.tryPostgres(url, password), password };
  }
}

function chosenText({ chosen, address }: ChosenPostgres, { home, paint }: TextView): string {
  const where = address === null ? '' : shown(address, home);
  switch (chosen) {
    case null:
      return `No PostgreSQL is chosen.\n${paint('cyan', 'next:')} ${postgresChoices}`;
    case 'bundled':
      return `The bundled PostgreSQL is chosen.${where === '' ? '' : ` It is at ${where}.`}`;
    case 'url':
      return `Your PostgreSQL at ${where} is chosen.`;
    case 'environment':
      return `REGISTRAR_DATABASE_URL chooses ${where}.`;
  }
}

/** A daemon that was started with another address keeps using it. */
function servedLines({ chosen, daemon }: ChosenPostgres, view: TextView): string[] {
  if (!daemon) return [];
  const served = `The daemon serves ${serverText(daemon, view.home)}.`;
  const source = { url: 'file', bundled: 'bundled', environment: 'environment' } as const;
  if (chosen !== null && source[chosen] === daemon.source) return [served];
  return [
    served,
    `  ${view.paint('yellow', 'warning:')} it was started with a different address from the one that applies here`,
    ...hintLines(
      'registrar stop (the next command starts it with the address from here) | registrar postgres URL (choose one for everybody)',
      view,
      '  ',
    ),
  ];
}

function factsText({ version, role, mayCreateDatabases, registry }: PostgresFacts, { home, paint }: TextView): string {
  const may = mayCreateDatabases ? 'may create databases' : 'may not create databases';
  const line = shown(`PostgreSQL ${version}, role ${role}, ${may}, registry ${registry}`, home);
  if (mayCreateDatabases) return line;
  return [
    line,
    `  ${paint('yellow', 'warning:')} existing projects work, but new ones cannot be created`,
    `  ${paint('cyan', 'next:')} as a superuser: ALTER ROLE ${sqlIdentifier(role)} CREATEDB;`,
  ].join('\n');
}

/** What the running daemon reports about the change, and what stays on the former server. */
function changeLines(change: AddressChange | null, { home, paint }: TextView): string[] {
  if (!change) return [];
  const { error, leftBehind } = change;
  const failed = error
    ? [`  ${paint('yellow', 'warning:')} the daemon cannot use it: ${shown(error.message, home)}`]
    : [];
  if (leftBehind.length === 0) return failed;
  return [
    ...failed,
    `${stay(leftBehind.length)} on the former server. Each line copies one; registrar projects adopt DATABASE then registers it:`,
    ...leftBehind.map(
      // The home folder in full, since it is copied.
      ({ command, pending }) => `  ${shown(command, '')}${pending ? '   # not registered there yet' : ''}`,
    ),
  ];
}

function stay(count: number): string {
  return count === 1 ? '1 project stays' : `${count} projects stay`;
}

function passwordLines(
  password: string | null,
  file: string | null,
  daemonHasIt: boolean,
  { home, paint }: TextView,
): string[] {
  if (file !== null) return [`The password is in ${shown(file, home)}.`];
  if (password === null) return [];
  const kept = daemonHasIt ? 'is known only until the daemon stops' : 'was not saved';
  return [
    `  ${paint('yellow', 'warning:')} the password ${kept}`,
    `  ${paint('cyan', 'next:')} run the same command with --save-password, or set PGPASSWORD`,
  ];
}

function overruled({ chosen }: ChosenPostgres, wanted: ChosenPostgres['chosen'], { paint }: TextView): string[] {
  if (chosen === wanted) return [];
  return [
    `  ${paint('yellow', 'warning:')} your choice is saved, but REGISTRAR_DATABASE_URL overrides it`,
    `  ${paint('cyan', 'next:')} unset REGISTRAR_DATABASE_URL`,
  ];
}

function invalid(message: string): RegistrarError {
  const hint = 'registrar postgres show | registrar postgres bundled | registrar postgres postgresql://USER@HOST:5432';
  return new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint });
}
