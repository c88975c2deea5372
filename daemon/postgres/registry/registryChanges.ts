import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { connectClient } from '../connection/connect.ts';
import { closeClient, untilSilent } from '../connection/directConnection.ts';
import { withLimit } from '../../time/withLimit.ts';
import type { RegistryDatabase } from './registryDatabase.ts';

/** The channel on which every daemon announces that it changed the registry, and nothing more. */
const changesChannel = 'registrar_changes';

/**
 * A statement that notifies everyone if it changed any row. A rollback notifies nobody.
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
  /** Called after a change by any daemon, including this one, and whenever one may have been missed. */
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

/**
 * Notices changes that other daemons make: with LISTEN if it works, which is tried out and not assumed, because a
 * pooler in transaction mode accepts LISTEN and delivers nothing; otherwise by polling. Each poll tries LISTEN again,
 * because a server that was only slow looks the same. A lost connection is opened again.
 */
export class ChangeWatch {
  readonly #database: RegistryDatabase;
  readonly #options: ChangeWatchOptions;
  #mode: 'connecting' | 'listening' | 'polling' = 'connecting';
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isStopped = false;
  #connecting: Promise<void> = Promise.resolve();

  private constructor(database: RegistryDatabase, options: ChangeWatchOptions) {
    this.#database = database;
    this.#options = options;
  }

  static start(database: RegistryDatabase, options: ChangeWatchOptions): ChangeWatch {
    const watch = new ChangeWatch(database, options);
    watch.#connect();
    return watch;
  }

  /** How changes are noticed at present. */
  get mode(): 'connecting' | 'listening' | 'polling' {
    return this.#mode;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    if (this.#client) await closeClient(this.#client);
  }

  #connect(): void {
    this.#connecting = this.#listen().catch(async () => {
      // Requests meet and report the same trouble; here it only means to try again later.
      const broken = this.#client;
      this.#reconnect();
      if (broken) await closeClient(broken).catch(() => undefined);
    });
  }

  async #listen(): Promise<void> {
    const { address, name, limits } = this.#database;
    const listener = await connectClient(address, name, { timeoutMs: limits.writeMs });
    this.#client = listener;
    listener.on('notification', ({ payload }) => {
      if (payload === '') this.#options.onChange();
    });
    const token = randomUUID();
    const echo = withLimit<Echo>(this.#options.echoMs ?? 2000, echoOf(listener, token), () => 'silent');
    await untilSilent(listener, limits.writeMs, () => listener.query(`listen ${changesChannel}`));
    await this.#database.query(
      { text: 'select pg_catalog.pg_notify($1, $2)', values: [changesChannel, token] },
      limits.writeMs,
    );
    const heard = await echo;
    if (heard === 'lost') throw new Error('the connection was lost before anything was heard');
    if (heard === 'heard') this.#stayListening(listener);
    else await this.#poll(listener);
  }

  #stayListening(listener: Client): void {
    this.#mode = 'listening';
    this.#failures = 0;
    listener.once('end', () => {
      if (this.#client !== listener || this.#isStopped) return;
      this.#reconnect();
      this.#options.onLost?.();
    });
    // Changes before the first notification could not be noticed.
    this.#options.onChange();
  }

  async #poll(deaf: Client): Promise<void> {
    this.#client = null;
    this.#mode = 'polling';
    await closeClient(deaf);
    this.#options.onChange();
    this.#connectLater(this.#options.pollMs ?? 60_000);
  }

  #reconnect(): void {
    this.#client = null;
    this.#mode = 'connecting';
    this.#failures += 1;
    this.#connectLater(this.#options.retryDelayMs(this.#failures));
  }

  #connectLater(delayMs: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#connect();
    }, delayMs);
    // Watching alone is no reason for a process to stay.
    this.#timer.unref();
  }
}

type Echo = 'heard' | 'silent' | 'lost';

/** The outcome of a notification to oneself. */
function echoOf(listener: Client, token: string): Promise<Echo> {
  return new Promise((resolve) => {
    listener.on('notification', ({ payload }) => {
      if (payload === token) resolve('heard');
    });
    listener.once('end', () => {
      resolve('lost');
    });
  });
}
