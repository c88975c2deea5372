import { join } from 'node:path';
import { postgresNotChosen } from '../cli/postgresNotChosen.ts';
import { startBundledServer, type BundledServer } from '../embedded/bundledServer.ts';
import type { BundledAddress } from '../embedded/bundledServerOptions.ts';
import { parseAddress, type PostgresAddress } from '../postgres/address/address.ts';
import { hasPassword } from '../postgres/address/connectionString.ts';
import { connectClient } from '../postgres/connection/connect.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import type { AddressSource } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';

export interface ChosenAddress {
  address: PostgresAddress;
  source: AddressSource;
  /** The bundled server, when that was chosen. */
  bundled: BundledServer | null;
}

export interface AddressQuestion {
  /** `--database-url`. */
  databaseUrl: string | null;
  environment: Record<string, string | undefined>;
  settings: Settings;
  stateFolder: string;
  onProgress: (message: string) => void;
}

/**
 * The PostgreSQL to use: the argument, the environment, the chosen one. The bundled server is started only here, and
 * only if it was chosen.
 *
 * @throws RegistrarError POSTGRES_NOT_CHOSEN, INVALID_ARGUMENT for an address that cannot be read, PROVISION_FAILED
 *   when the bundled server does not start
 */
export async function chooseAddress(question: AddressQuestion): Promise<ChosenAddress> {
  const { databaseUrl, environment, settings } = question;
  const parse = (url: string): PostgresAddress => parseAddress(url, environment, localSurroundings());
  if (databaseUrl !== null) {
    if (hasPassword(databaseUrl)) throw passwordInArgument();
    return { address: parse(databaseUrl), source: 'argument', bundled: null };
  }
  const given = environment['REGISTRAR_DATABASE_URL'] ?? '';
  if (given !== '') return { address: parse(given), source: 'environment', bundled: null };
  if (!settings.postgres) throw postgresNotChosen();
  if (settings.postgres.kind === 'url') return { address: parse(settings.postgres.url), source: 'file', bundled: null };
  const bundled = await startBundledServer({
    folder: join(question.stateFolder, 'postgres'),
    probe: probeBundled,
    onProgress: question.onProgress,
  });
  return { address: bundledAddress(bundled.address), source: 'bundled', bundled };
}

/** Whether anybody else is connected; if so, the bundled server keeps running. */
export async function hasOtherConnections(address: PostgresAddress): Promise<boolean> {
  const client = await connectClient(address, 'postgres', { timeoutMs: 2000 });
  try {
    const result = await client.query<{ others: number }>(
      `select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    return (result.rows[0]?.others ?? 0) > 0;
  } finally {
    await client.end();
  }
}

/** The proof that a server is ours: it accepts our password and serves our data folder. */
async function probeBundled(address: BundledAddress, timeoutMs: number): Promise<string | null> {
  try {
    const client = await connectClient(bundledAddress(address), 'postgres', { timeoutMs });
    try {
      const result = await client.query<{ data_directory: string }>('show data_directory');
      return result.rows[0]?.data_directory ?? null;
    } finally {
      await client.end();
    }
  } catch {
    // Not there yet, somebody else's, or a different password: all mean that this is not our server.
    return null;
  }
}

function bundledAddress({ host, port, user, password }: BundledAddress): PostgresAddress {
  const secret = encodeURIComponent(password);
  const url = `postgresql://${user}:${secret}@${encodeURIComponent(host)}:${port}/?sslmode=disable`;
  return parseAddress(url, {}, localSurroundings());
}

function passwordInArgument(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message:
      '--database-url contains a password, which every user of this machine could read in the list of processes.',
    hint: 'Leave it out there, and put it into PGPASSWORD, ~/.pgpass or REGISTRAR_DATABASE_URL.',
  });
}
