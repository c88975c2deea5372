import { EventEmitter } from 'node:events';
import type { Client, TransactionStatus } from 'pg';
import { closeClient } from './directConnection.ts';

/**
 * What `pg.Pool` holds in place of a `pg.Client`, which can dial one host only: it opens its client through `open`, which
 * may try several. It has the members that pg-pool 3.14 touches (`_queryable` and `_ending` are among them), `query`,
 * and nothing else.
 */
export class PooledClient extends EventEmitter {
  readonly #open: () => Promise<Client>;
  #client: Client | null = null;
  _ending = false;

  constructor(open: () => Promise<Client>) {
    super();
    this.#open = open;
    // While a connection is borrowed, pg-pool does not listen to its errors, and one would end the process.
    this.on('error', () => undefined);
  }

  get _queryable(): boolean {
    return (this.#client as { _queryable?: boolean } | null)?._queryable ?? false;
  }

  connect(callback: (error: unknown) => void): void {
    this.#open().then(
      (client) => {
        this.#client = client;
        client.on('error', (error) => this.emit('error', error));
        client.on('end', () => this.emit('end'));
        callback(undefined);
      },
      (error: unknown) => {
        callback(error);
      },
    );
  }

  /** pg-pool asks when its own limit for connecting is over and would kill what is not; `open` has a limit itself. */
  isConnected(): boolean {
    return true;
  }

  getTransactionStatus(): TransactionStatus {
    return this.#client?.getTransactionStatus() ?? null;
  }

  query(...parameters: unknown[]): unknown {
    if (this.#client === null) throw new Error('Connection terminated before it was opened');
    const client: { query(...parameters: unknown[]): unknown } = this.#client;
    return client.query(...parameters);
  }

  /** Within a limit, since the pool waits for each of these. */
  end(callback?: () => void): void {
    this._ending = true;
    const client = this.#client;
    if (client === null) {
      callback?.();
      return;
    }
    void closeClient(client).finally(() => callback?.());
  }
}
