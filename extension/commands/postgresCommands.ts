import { userInfo } from 'node:os';
import * as vscode from 'vscode';
import { givenAddress } from '../../daemon/client/localDaemon.ts';
import type { AddressChange, TriedAddress } from '../../daemon/protocol/control.ts';
import type { Settings } from '../../daemon/protocol/settings.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { sqlIdentifier } from '../../daemon/protocol/sqlText.ts';
import { portProblem, readWhere, urlOf } from '../addressParts.ts';
import { postgresUrl, setPostgresUrl } from '../settings.ts';
import { messageText } from '../views/inertText.ts';
import { leftBehindDocument } from '../views/leftBehindDocument.ts';
import { counted } from '../views/words.ts';
import { askStep, type Checked } from './askStep.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { askPassword, tryUrl, type Found } from './tryUrl.ts';

/**
 * Asks for an address, as a whole or in parts, until one accepts the login; everybody uses that server from then on.
 */
export const setPostgres: Command = async (context) => {
  const title = 'Set PostgreSQL Connection';
  refuseWhereEnvironmentDecides();
  const found = await askAddress(context, title);
  return found && useAddress(context, found, title);
};

/** The server that was found on this machine. */
export const useLocalPostgres: Command = async (context) => {
  const title = 'Use localhost:5432';
  refuseWhereEnvironmentDecides();
  const found = await askUser(context, title, { host: 'localhost', port: '5432', database: '' });
  return found && useAddress(context, found, title);
};

/** The private server that needs no installation; its programs are downloaded when they are not there. */
export const useBundled: Command = async (context) => {
  refuseWhereEnvironmentDecides();
  const change = await changeTo(context, { kind: 'bundled' }, null);
  await setPostgresUrl(null);
  await showLeftBehind(context, change);
  return 'Registrar now uses the bundled PostgreSQL';
};

/** Asks for the password that the daemon lacks. */
export const enterPassword: Command = async (context) => {
  const title = 'Enter Password';
  refuseWhereEnvironmentDecides();
  const url = postgresUrl() === '' ? null : postgresUrl();
  const found = await askPassword(context, title, url);
  if (!found) return null;
  await context.passwords.keep(found.url, found.typed);
  await offerPasswordFile(context, found, title);
  // Also if the address came from elsewhere: VS Code's password belongs to VS Code's address.
  await setPostgresUrl(found.url);
  await context.link.renew(true);
  return `Connected to ${found.address}`;
};

/** This window gives up its own address. */
export const useDaemonAddress: Command = async () => {
  refuseWhereEnvironmentDecides();
  await setPostgresUrl(null);
  return 'This window now uses the daemon’s PostgreSQL';
};

/** The daemon gives up its own address, for everybody. */
export const useThisAddress: Command = async (context) => {
  refuseWhereEnvironmentDecides();
  const url = postgresUrl();
  const password = await context.passwords.of(url);
  const result = await tryUrl(context, url, password);
  if (result.kind === 'problem') throw new RegistrarError(result.error);
  const title = 'Use This Window’s Server';
  const found = result.kind === 'in' ? { ...result.tried, typed: password } : await askPassword(context, title, url);
  return found && useAddress(context, found, title, password !== null);
};

/** A whole address is tried at once; after a host the rest is asked. */
async function askAddress(context: CommandContext, title: string): Promise<Found | null> {
  const answer = await askStep<Tried | { host: string; port: string }>({
    title,
    prompt: 'The address of your PostgreSQL, or only its host; Enter tries it',
    placeholder: 'postgresql://me@db.example:5432 or db.example',
    value: postgresUrl(),
    check(text) {
      const where = readWhere(text);
      if (where.kind === 'problem') return where;
      return where.kind === 'host' ? { value: where } : checkUrl(context, where.url);
    },
  });
  if (answer === null) return null;
  if ('url' in answer) return finish(context, title, answer);
  const { host } = answer;
  const port = await askStep<string>({
    title,
    prompt: `The port on ${host}`,
    value: answer.port || '5432',
    check(text) {
      const problem = portProblem(text.trim());
      return problem === null ? { value: text.trim() } : { problem };
    },
  });
  if (port === null) return null;
  const database = await askStep<string>({
    title,
    prompt: 'The registry’s database, which lists all projects; leave empty for the default',
    placeholder: 'codebase_mcp_registry',
    check: (text) => ({ value: text.trim() }),
  });
  return database === null ? null : askUser(context, title, { host, port, database });
}

/** The last piece: with it the address is complete and is tried. */
async function askUser(
  context: CommandContext,
  title: string,
  place: { host: string; port: string; database: string },
): Promise<Found | null> {
  const answer = await askStep<Tried>({
    title,
    prompt: `Your user name in PostgreSQL on ${place.host}; Enter tries it`,
    value: userName(),
    check: (user) => checkUrl(context, urlOf({ ...place, user: user.trim() })),
  });
  return answer && finish(context, title, answer);
}

/** An address that answers; `tried` is null while it requires a password. */
interface Tried {
  url: string;
  tried: TriedAddress | null;
}

async function checkUrl(context: CommandContext, url: string): Promise<Checked<Tried>> {
  const result = await tryUrl(context, url, null);
  if (result.kind === 'problem') return { problem: result.said };
  return { value: { url, tried: result.kind === 'in' ? result.tried : null } };
}

function finish(context: CommandContext, title: string, { url, tried }: Tried): Promise<Found | null> {
  return tried ? Promise.resolve({ ...tried, typed: tried.password }) : askPassword(context, title, url);
}

async function useAddress(
  context: CommandContext,
  found: Found,
  title: string,
  isPasswordKnown = false,
): Promise<string> {
  if (!isPasswordKnown) await offerPasswordFile(context, found, title);
  const change = await changeTo(context, { kind: 'url', url: found.url }, found.typed);
  await context.passwords.keep(found.url, found.typed);
  await setPostgresUrl(found.url);
  await showLeftBehind(context, change);
  if (!found.mayCreateDatabases) {
    void vscode.window.showWarningMessage(
      messageText(
        `${found.role} may not create databases, so no new projects can be created. As a superuser, run: ALTER ROLE ${sqlIdentifier(found.role)} CREATEDB;`,
      ),
    );
  }
  return `Registrar now uses ${found.address}: PostgreSQL ${found.version}`;
}

async function changeTo(
  { link }: CommandContext,
  postgres: NonNullable<Settings['postgres']>,
  password: string | null,
): Promise<AddressChange> {
  const change = await link.call('changeAddress', { postgres, password });
  if (change.error) throw new RegistrarError(change.error);
  return change;
}

/** The password serves this window; programs in terminals read another place. */
async function offerPasswordFile({ link }: CommandContext, { url, typed }: Found, title: string): Promise<void> {
  if (typed === null) return;
  const here = { label: 'In VS Code only', description: 'in its secret storage' };
  const also = { label: 'Also for terminals (.pgpass)', description: 'in libpq’s password file, as plain text' };
  const chosen = await vscode.window.showQuickPick([here, also], { title, placeHolder: 'Where is the password kept?' });
  if (chosen === also) await link.call('savePassword', { url, password: typed });
}

async function showLeftBehind({ documents }: CommandContext, { leftBehind, server }: AddressChange): Promise<void> {
  if (leftBehind.length === 0) return;
  await documents.show(`${counted(leftBehind.length, 'project')} left behind`, leftBehindDocument(leftBehind, server));
}

function refuseWhereEnvironmentDecides(): void {
  if (givenAddress(null, process.env).url === null) return;
  throw new RegistrarError({
    code: 'ADDRESS_MISMATCH',
    message: 'REGISTRAR_DATABASE_URL sets the PostgreSQL server of this window and overrides every choice.',
    hint: 'Remove it from the environment that VS Code is started in, or set PGPASSWORD there.',
  });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without a passwd entry.
    return 'postgres';
  }
}
