import { Client } from 'pg';
import type { PostgresAddress, TargetSessionAttrs } from '../address/address.ts';
import type { HostPort } from '../address/addressParts.ts';
import { describeFailure, finalFailure, MissingPassword, unreachable, UnsuitableHost } from './connectFailure.ts';
import type { HostFailure } from './connectFailure.ts';
import { findPassword } from '../address/pgpass.ts';
import { sqlState } from './sqlErrors.ts';
import { tlsOptions } from '../address/tlsOptions.ts';

export interface ConnectLimits {
  /** For all hosts together, name look-up, TLS and login included. */
  timeoutMs: number;
}

/**
 * Connects to a database of an address, as libpq would: hosts in order, `target_session_attrs`, libpq's meaning of
 * sslmode with its retries, unix sockets. Each host gets an even share of the time that is left, so one that drops
 * packets does not use up the limit of those behind it.
 *
 * @returns A connected client that the caller ends. Its `error` events are listened to already: a connection that dies
 *   while idle does not end the process, and the next query on it fails.
 *
 * Throws REGISTRY_UNREACHABLE, SERVER_FULL or REGISTRY_BUSY (`details.hosts` says why for each), CREDENTIALS_REQUIRED,
 * REGISTRY_FORBIDDEN, DATABASE_MISSING (`sqlState(error)` is then 3D000), or INVALID_ARGUMENT for a TLS file that cannot
 * be read.
 */
export async function connectClient(
  address: PostgresAddress,
  database: string,
  limits: ConnectLimits,
): Promise<Client> {
  return (await connectReached(address, database, limits)).client;
}

/** As `connectClient`, with the host of the address that answered. */
export async function connectReached(
  address: PostgresAddress,
  database: string,
  limits: ConnectLimits,
): Promise<{ client: Client; host: HostPort }> {
  const deadline = performance.now() + limits.timeoutMs;
  const wanted = address.targetSessionAttrs;
  const rounds: TargetSessionAttrs[] = wanted === 'prefer-standby' ? ['standby', 'any'] : [wanted];
  let failures: HostFailure[] = [];
  let triesLeft = rounds.length * address.hosts.length;
  for (const attrs of rounds) {
    failures = [];
    for (const host of address.hosts) {
      const share = Math.max(1, (deadline - performance.now()) / triesLeft--);
      const limitMs = Math.min(share, address.connectTimeoutMs ?? Infinity);
      try {
        const client = await connectHost({ address, database, host, attrs, deadline: performance.now() + limitMs });
        return { client, host };
      } catch (error) {
        const final = finalFailure(error, address, host, database);
        if (final) throw final;
        failures.push({ host, reason: describeFailure(error, limitMs), cause: error });
      }
    }
  }
  throw unreachable(failures);
}

interface Attempt {
  address: PostgresAddress;
  database: string;
  host: HostPort;
  attrs: TargetSessionAttrs;
  deadline: number;
}

/** One host, by the one or two ways of encrypting that its sslmode allows. */
async function connectHost(attempt: Attempt): Promise<Client> {
  const { sslmode } = attempt.address.ssl;
  // libpq ignores sslmode on unix sockets: nobody listens in between.
  if (sslmode === 'disable' || attempt.host.host.startsWith('/')) return await connectOnce(attempt, 'plain');
  if (sslmode !== 'prefer' && sslmode !== 'allow') return await connectOnce(attempt, 'tls');
  const [first, second] = sslmode === 'prefer' ? (['tls', 'plain'] as const) : (['plain', 'tls'] as const);
  try {
    return await connectOnce(attempt, first);
  } catch (error) {
    // 28000 is pg_hba.conf refusing this kind of connection, 08P01 what PgBouncer says when it insists on TLS.
    const refused = sqlState(error) === '28000' || (first === 'plain' && sqlState(error) === '08P01');
    if (!refused && !(error instanceof TlsFailed)) throw error;
    try {
      return await connectOnce(attempt, second);
    } catch (secondError) {
      throw refused ? error : secondError;
    }
  }
}

/** What the server calls the encoding of the database that a client is connected to; UTF8 where it does not say. */
export function encodingOf(client: Client): string {
  return client instanceof ExactClient ? client.encoding : 'UTF8';
}

/** TLS is not offered, or its handshake failed. */
class TlsFailed extends UnsuitableHost {}

async function connectOnce(attempt: Attempt, encryption: 'plain' | 'tls'): Promise<Client> {
  const { address, database, host } = attempt;
  const ssl = encryption === 'tls' ? await tlsOptions(address.ssl, host) : false;
  const watch: LoginWatch = { handshake: 'none', offersBinding: false, bound: false };
  const client = new ExactClient({
    host: host.hostaddr ?? host.host,
    port: host.port,
    user: address.user,
    database,
    ssl,
    sslnegotiation: ssl === false ? 'postgres' : address.ssl.sslnegotiation,
    enableChannelBinding: ssl !== false && address.channelBinding !== 'disable',
    keepAlive: address.keepAlive,
    keepAliveInitialDelayMillis: address.keepAliveIdleMs ?? 0,
    connectionTimeoutMillis: remaining(attempt),
    password: async () => {
      requireBinding(address, watch.offersBinding);
      const { password, note } = await findPassword(address, host, database);
      if (password === null) throw new MissingPassword(note);
      return password;
    },
  });
  client.startup = {
    user: address.user,
    database,
    // Text is quoted here as UTF-8. In another encoding, which a database's owner may set, some quotes would not be
    // quotes.
    client_encoding: 'UTF8',
    application_name: address.applicationName ?? 'project-registrar',
    ...(address.options === null ? {} : { options: address.options }),
  };
  watchLogin(client, watch);
  client.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    if (status.parameterName === 'server_encoding') client.encoding = status.parameterValue;
  });
  // Without a listener the death of an idle connection would be an uncaught exception.
  client.on('error', () => undefined);
  try {
    await client.connect();
    requireBinding(address, watch.bound);
    await requireAttrs(client, attempt);
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    const message = error instanceof Error ? error.message : '';
    if (watch.handshake === 'running' && message !== 'timeout expired') {
      throw new TlsFailed(`TLS failed: ${message}`, { cause: error });
    }
    if (message === noTlsMessage) throw new TlsFailed('the server offers no TLS', { cause: error });
    // PgBouncer passes on what the server said, but with a state of its own.
    const isMissing = sqlState(error) === '08P01' && message.endsWith(`database "${database}" does not exist`);
    throw isMissing && error instanceof Error ? Object.assign(error, { code: '3D000' }) : error;
  }
}

/** What pg 8.23 says in lib/connection.js when the server answers N to its request for TLS. */
const noTlsMessage = 'The server does not support SSL connections';

/**
 * node-postgres fills startup parameters from the process's PG… variables, where the address has the say; and PgBouncer
 * refuses the connection for parameters that it does not know, so little is sent that was not asked for.
 */
class ExactClient extends Client {
  startup: Record<string, string> = {};
  encoding = 'UTF8';

  getStartupConf(): Record<string, string> {
    return this.startup;
  }
}

interface LoginWatch {
  handshake: 'none' | 'running' | 'done';
  /** The server offered SCRAM with channel binding. */
  offersBinding: boolean;
  /** The login proved that nobody is between client and server. */
  bound: boolean;
}

function watchLogin(client: Client, watch: LoginWatch): void {
  const { connection } = client;
  connection.on('sslconnect', () => {
    watch.handshake = 'running';
    connection.stream.once('secureConnect', () => {
      watch.handshake = 'done';
    });
  });
  connection.on('authenticationSASL', (message: { mechanisms: string[] }) => {
    watch.offersBinding = message.mechanisms.includes('SCRAM-SHA-256-PLUS');
  });
  connection.on('authenticationSASLFinal', () => {
    watch.bound = watch.offersBinding;
  });
}

/** A server in the middle would ask for the password in clear, or for none: both are refused before anything is sent. */
function requireBinding(address: PostgresAddress, fulfilled: boolean): void {
  if (address.channelBinding !== 'require' || fulfilled) return;
  throw new UnsuitableHost('channel_binding=require, and the server does not log in that way');
}

async function requireAttrs(client: Client, attempt: Attempt): Promise<void> {
  const { attrs } = attempt;
  if (attrs === 'any' || attrs === 'prefer-standby') return;
  const { rows } = await client.query<{ standby: boolean; readonly: boolean }>({
    text: `SELECT pg_catalog.pg_is_in_recovery() AS standby,
                  pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool AS readonly`,
    query_timeout: remaining(attempt),
  } as { text: string });
  const { standby = false, readonly = false } = rows[0] ?? {};
  const fits = { 'read-write': !readonly, 'read-only': readonly, primary: !standby, standby }[attrs];
  if (fits) return;
  const is = `${standby ? 'a standby' : 'the primary'}${readonly ? ', read-only' : ''}`;
  throw new UnsuitableHost(`is ${is}, but ${attrs} is required`);
}

function remaining({ deadline }: Attempt): number {
  return Math.max(1, Math.round(deadline - performance.now()));
}
