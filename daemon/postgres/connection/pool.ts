import { Pool } from 'pg';
import type { Client, ClientBase, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { visible } from '../../protocol/visibleText.ts';
import { addressLabel } from '../address/address.ts';
import type { PostgresAddress } from '../address/address.ts';
import { connectClient } from './connect.ts';
import { PooledClient } from './pooledClient.ts';
import { askServer, tooBusy, type ServerSign } from './serverSign.ts';
import { isConnectionLoss, sqlState } from './sqlErrors.ts';
import { cutAfter } from '../../time/withLimit.ts';

export interface PoolLimits {
  /** Connections at most. */
  max: number;
  /** A connection that nobody used for this long is closed, ms. */
  idleMs: number;
  /** For opening one connection, ms; 5 s unless told. */
  connectMs?: number;
  /** Told of each connection that was opened. */
  onOpened?: (client: Client) => void;
}

export interface Query {
  /** A named statement is prepared once per connection; poolers in transaction mode refuse it. */
  name?: string;
  text: string;
  values?: readonly unknown[];
}

/**
 * Makes a pool for one database; nothing is dialled before the first use. Use it through `runQuery` and
 * `borrowClient`, which have limits, and close it with `closePool`.
 */
export function createPool(address: PostgresAddress, database: string, limits: PoolLimits): Pool {
  const timeoutMs = limits.connectMs ?? 5000;
  class AddressClient extends PooledClient {
    constructor() {
      super(async () => {
        const client = await connectClient(address, database, { timeoutMs });
        limits.onOpened?.(client);
        return client;
      });
    }
  }
  const pool = new Pool({
    max: limits.max,
    idleTimeoutMillis: limits.idleMs,
    // Removes callers that gave up from the queue: while a server drops packets, dialing for them would delay recovery.
    connectionTimeoutMillis: timeoutMs,
    // pg-pool asks for the few members that PooledClient has; the types ask for all of pg.Client.
    Client: AddressClient as unknown as new () => ClientBase,
  });
  labels.set(pool, addressLabel(address));
  askers.set(pool, (leftMs) => askServer(address, database, leftMs));
  // The pool drops an idle connection that dies, and the next query opens a new one, so nobody needs to know.
  pool.on('error', () => undefined);
  const open: OpenClients = { lent: new Set(), idle: new Set() };
  pool.on('acquire', (client) => {
    open.idle.delete(client);
    open.lent.add(client);
  });
  pool.on('release', (error: unknown, client) => {
    open.lent.delete(client);
    if (!error) open.idle.add(client);
  });
  pool.on('remove', (client) => open.idle.delete(client));
  openClients.set(pool, open);
  return pool;
}

/**
 * Runs one statement on a connection of the pool and returns its rows.
 *
 * @param timeoutMs For waiting for a connection, opening it and the statement together.
 *
 * Throws what `connectClient` throws, the server's own error for the statement, and REGISTRY_UNREACHABLE when the
 * connection breaks or, with `details.reason` "timeout", when the limit is over. In both cases the connection is
 * destroyed, and whether the statement took effect is not known.
 */
export async function runQuery<Row extends QueryResultRow = Record<string, unknown>>(
  pool: Pool,
  { name, text, values }: Query,
  timeoutMs: number,
): Promise<Row[]> {
  // One limit for both: every answer passes here, and a timer costs as much as the rules.
  const limit = startLimit(pool, timeoutMs);
  try {
    const client = await borrowWithin(limit, pool);
    return await runOn<Row>(
      client,
      { text, ...(name === undefined ? {} : { name }), values: values ?? [] },
      limit,
      pool,
    );
  } finally {
    limit.clear();
  }
}

async function runOn<Row extends QueryResultRow>(
  client: PoolClient,
  query: Query,
  { over, label }: Limit,
  pool: Pool,
): Promise<Row[]> {
  let keep = false;
  try {
    const { rows } = await Promise.race([client.query<Row>(query as QueryConfig), over]);
    keep = true;
    return rows;
  } catch (error) {
    keep = sqlState(error) !== null && !isConnectionLoss(error);
    if (isConnectionLoss(error)) distrustIdle(pool);
    if (error instanceof RegistrarError || !isConnectionLoss(error)) throw error;
    throw new RegistrarError(
      {
        code: 'REGISTRY_UNREACHABLE',
        message: `the connection to ${label} broke (${error instanceof Error ? visible(error.message) : 'unknown error'})`,
        hint: 'Check that PostgreSQL is running there: registrar postgres show.',
        details: { reason: 'connection lost' },
      },
      { cause: error },
    );
  } finally {
    // A connection that is inside a transaction would pass it on to the next borrower.
    client.release(!keep || client.getTransactionStatus() !== 'I');
  }
}

/**
 * Borrows a connection for several statements; the caller releases it, with `true` to have it destroyed.
 *
 * @param timeoutMs For waiting for one and opening it. Throws what `connectClient` throws; `details.reason` is "timeout"
 *   when the limit is over.
 */
export async function borrowClient(pool: Pool, timeoutMs: number): Promise<PoolClient> {
  const limit = startLimit(pool, timeoutMs);
  try {
    return await borrowWithin(limit, pool);
  } finally {
    limit.clear();
  }
}

async function borrowWithin({ over, label, timeoutMs }: Limit, pool: Pool): Promise<PoolClient> {
  if (pool.ending) throw stopping();
  const borrowed = pool.connect();
  try {
    return await Promise.race([borrowed, over]);
  } catch (error) {
    // It may still arrive after the caller has gone. It is then returned, or the pool would lose it for good.
    borrowed.then(
      (client) => {
        client.release();
      },
      () => undefined,
    );
    if (error instanceof Error && error.message === poolQueueTimeout) throw timedOut(label, timeoutMs);
    throw error;
  }
}

/**
 * Closes every connection of a pool.
 *
 * @param patienceMs how long borrowed connections may continue; then they are cut, and their statements fail
 */
export async function closePool(pool: Pool, patienceMs: number): Promise<void> {
  const cut = (client: PoolClient): void => {
    (client as unknown as PooledClient).end();
  };
  const cutAll = (): void => {
    for (const client of openClients.get(pool)?.lent ?? []) cut(client);
    // A connection that is being opened at this moment goes to whoever waits for it.
    pool.on('acquire', cut);
  };
  await cutAfter(patienceMs, cutAll, () => pool.end());
}

/**
 * Drops the idle connections after another one of the pool broke or stopped answering: if the server was replaced, or a
 * firewall forgot them, they are dead too, and each would cost its next user the whole limit.
 */
export function distrustIdle(pool: Pool): void {
  // pg-pool removes an idle client that reports an error.
  for (const client of [...(openClients.get(pool)?.idle ?? [])])
    client.emit('error', new Error('not trusted any more'));
}

const labels = new WeakMap<Pool, string>();
/** How to ask each pool's server, over a separate connection, whether it is there. */
const askers = new WeakMap<Pool, (leftMs: number) => Promise<ServerSign>>();
const signs = new WeakMap<Pool, { sign: ServerSign }>();

interface OpenClients {
  lent: Set<PoolClient>;
  idle: Set<PoolClient>;
}

const openClients = new WeakMap<Pool, OpenClients>();

/** What pg-pool 3.14 says to those who waited too long for a connection. */
const poolQueueTimeout = 'timeout exceeded when trying to connect';

interface Limit {
  /** Rejects when the limit is over. */
  over: Promise<never>;
  label: string;
  timeoutMs: number;
  clear: () => void;
}

/** Its time has two parts and spans two waits, borrowing and asking, so it is none of `withLimit`'s. */
function startLimit(pool: Pool, timeoutMs: number): Limit {
  const label = labels.get(pool) ?? 'PostgreSQL';
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const leftMs = Math.ceil(timeoutMs * askingShare);
    // One timer until then: nearly every answer comes long before.
    timer = setTimeout(() => {
      const asked = signOf(pool, leftMs);
      timer = setTimeout(() => {
        reject(asked.sign === 'none' ? timedOut(label, timeoutMs) : tooBusy(label, timeoutMs, asked.sign));
      }, leftMs);
    }, timeoutMs - leftMs);
  });
  // It may be over between two waits, when nobody listens.
  over.catch(() => undefined);
  const clear = (): void => {
    clearTimeout(timer);
  };
  return { over, label, timeoutMs, clear };
}

/** The last part of a limit, in which the server is asked over another connection whether it is there at all. */
const askingShare = 0.4;

/** Asked once for all who wait at the same time. What comes of it is read when their limits are over. */
function signOf(pool: Pool, leftMs: number): { sign: ServerSign } {
  const running = signs.get(pool);
  if (running) return running;
  const asked: { sign: ServerSign } = { sign: 'none' };
  signs.set(pool, asked);
  const asking = askers.get(pool)?.(leftMs) ?? Promise.resolve('none' as const);
  void asking
    .then((sign) => {
      asked.sign = sign;
    })
    .finally(() => signs.delete(pool));
  return asked;
}

/** For callers that still ask while everything is being closed. */
function stopping(): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: 'Registrar is stopping.',
    hint: 'Try again in a moment.',
  });
}

function timedOut(label: string, timeoutMs: number): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_UNREACHABLE',
    message: `${label} did not answer within ${timeoutMs} ms (timeout)`,
    hint: 'Check that PostgreSQL is running there and is not overloaded: registrar postgres show.',
    details: { reason: 'timeout' },
  });
}
