import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { connectClient } from '../connection/connect.ts';
import { closeClient } from '../connection/directConnection.ts';
import type { RegistryDatabase } from './registryDatabase.ts';

/** The channel on which every daemon says that it changed the registry. Nothing is said but that. */
const changesChannel = 'registrar_changes';

/**
 * A statement that tells everyone when it changed any row. Who rolls back tells nobody.
 *
 * @param changing changes rows and returns at least their ids
 * @param beside another statement that is made of the rows of `changed`
 * @returns a statement that returns the ids
 */
export function announcement(changing: string, beside?: string): string {
  const event = beside === undefined ? '' : `, event as (${beside})`;
  return `with changed as (${changing})${event} select changed.id, pg_catalog.pg_notify('${changesChannel}', '') from changed`;
}

export interface ChangeWatchOptions {
  /** Called after a change by anybody, this daemon included, and whenever one may have been missed. */
  onChange(): void;
  /** Called when the connection that listens has ended, as it does the moment the server stops. */
  onLost?(): void;
  /** How long after a lost connection the next is tried, ms, given how many tries failed in a row. */
  retryDelayMs(failures: number): number;
  /** Between polls where nobody can listen, ms; 60 s when absent. */
  pollMs?: number;
  /** Within which a notification to oneself must arrive, ms; 2 s when absent. */
  echoMs?: number;
}

export interface ChangeWatch {
  /** How changes are noticed at present. */
  mode(): 'connecting' | 'listening' | 'polling';
  stop(): Promise<void>;
}

/**
 * Hears of changes that other daemons make: by LISTEN where it works, which is tried out and not assumed, since a pooler in
 * transaction mode accepts it and delivers nothing; by polling where it does not, and with each poll it is tried again,
 * since a server that was only slow looks the same. A connection that is lost is made again.
 */
export function watchChanges(database: RegistryDatabase, options: ChangeWatchOptions): ChangeWatch {
  const pollMs = options.pollMs ?? 60_000;
  const echoMs = options.echoMs ?? 2000;
  let mode: ReturnType<ChangeWatch['mode']> = 'connecting';
  let client: Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let isStopped = false;
  let connecting: Promise<void> = Promise.resolve();

  const later = (delayMs: number, work: () => void): void => {
    if (isStopped) return;
    clearTimeout(timer);
    timer = setTimeout(work, delayMs);
    // Watching alone is no reason for a process to stay.
    timer.unref();
  };
  const reconnect = (): void => {
    client = null;
    mode = 'connecting';
    failures += 1;
    later(options.retryDelayMs(failures), connect);
  };
  async function listen(): Promise<void> {
    const listener = await connectClient(database.address, database.name, { timeoutMs: database.limits.writeMs });
    client = listener;
    let end: (how: 'heard' | 'silent' | 'lost') => void = () => undefined;
    const token = randomUUID();
    listener.on('notification', ({ payload }) => {
      if (payload === token) end('heard');
      else if (payload === '') options.onChange();
    });
    const echo = new Promise<'heard' | 'silent' | 'lost'>((resolve) => {
      const limit = setTimeout(() => {
        resolve('silent');
      }, echoMs);
      end = (how) => {
        clearTimeout(limit);
        resolve(how);
      };
      listener.once('end', () => {
        end('lost');
      });
    });
    await withinLimit(listener, listener.query(`listen ${changesChannel}`), database.limits.writeMs);
    await database.query(
      { text: 'select pg_catalog.pg_notify($1, $2)', values: [changesChannel, token] },
      database.limits.writeMs,
    );
    const heard = await echo;
    if (heard === 'lost') throw new Error('the connection was lost before anything was heard');
    if (heard === 'heard') {
      mode = 'listening';
      failures = 0;
      listener.once('end', () => {
        if (client !== listener || isStopped) return;
        reconnect();
        options.onLost?.();
      });
      // Whatever was changed before the first word could not be heard.
      options.onChange();
      return;
    }
    client = null;
    mode = 'polling';
    await closeClient(listener);
    options.onChange();
    later(pollMs, connect);
  }

  function connect(): void {
    connecting = listen().catch(async () => {
      // Whatever it was, requests meet it too and report it; here it only means to try again later.
      const broken = client;
      reconnect();
      if (broken) await closeClient(broken).catch(() => undefined);
    });
  }

  connect();
  return {
    mode: () => mode,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await connecting;
      if (client) await closeClient(client);
    },
  };
}

/** A connection whose server falls silent is destroyed, so that the wait ends. */
async function withinLimit(client: Client, work: Promise<unknown>, limitMs: number): Promise<void> {
  const timer = setTimeout(() => {
    client.connection.stream.destroy();
  }, limitMs);
  try {
    await work;
  } finally {
    clearTimeout(timer);
  }
}
