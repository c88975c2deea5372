import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { connectionBroke } from '../../../daemon/postgres/registry/registryFaults.ts';
import { isConnectionLoss } from '../../../daemon/postgres/connection/sqlErrors.ts';
import { ServerError } from './serverError.ts';
import type { Pass } from './passage.ts';
import type { StatementPoint } from './points.ts';
import type { Transaction, WorldServer } from './server.ts';

export type Statement = <T>(what: StatementPoint, work: (transaction: Transaction) => T | Promise<T>) => Promise<T>;

/** The connections of one daemon. Each statement is a point at which somebody decides who goes on and what goes wrong. */
export class WorldClient {
  readonly server: WorldServer;
  readonly role: string;
  /** `registrar.postgres.ownerRole` */
  readonly ownerRole: string | null;
  readonly #pass: Pass;
  readonly #open = new Set<Transaction>();
  /** What was sent, in order: what it did, not how it is spelled. */
  readonly sent: StatementPoint[] = [];

  constructor(server: WorldServer, pass: Pass, role: string, ownerRole: string | null) {
    this.server = server;
    this.#pass = pass;
    this.role = role;
    this.ownerRole = ownerRole;
  }

  /** One statement, committed by itself. */
  async run<T>(what: StatementPoint, work: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    return this.#reaching(what, async () => {
      const transaction = this.server.begin();
      try {
        const result = await work(transaction);
        this.server.commit(transaction);
        return result;
      } catch (error) {
        this.server.rollback(transaction);
        throw error;
      }
    });
  }

  /** One statement that changes nothing: asked once more where its connection was lost. */
  async read<T>(what: StatementPoint, work: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    try {
      return await this.run(what, work);
    } catch (error) {
      if (!(error instanceof RegistrarError) || error.details?.['reason'] !== 'connection lost') throw error;
      return this.run(what, work);
    }
  }

  /** Several statements that are committed together; a throw rolls back. */
  async transaction<T>(work: (execute: Statement) => Promise<T>, ending: StatementPoint = 'commit'): Promise<T> {
    const begun: Transaction[] = [];
    const begin = (): Transaction => {
      const [transaction = this.server.begin()] = begun;
      begun[0] = transaction;
      this.#open.add(transaction);
      return transaction;
    };
    try {
      const result = await work((what, statement) => this.#reaching(what, async () => statement(begin())));
      await this.#reaching(ending, async () => {
        this.server.commit(begin());
      });
      return result;
    } finally {
      // Nothing where it was committed.
      for (const transaction of begun) {
        this.server.rollback(transaction);
        this.#open.delete(transaction);
      }
    }
  }

  /** Its connections are closed: what they had begun is rolled back. */
  end(): void {
    for (const transaction of this.#open) this.server.rollback(transaction);
  }

  async #reaching<T>(what: StatementPoint, work: () => Promise<T>): Promise<T> {
    const fault = await this.#pass(what);
    if (fault === 'away' || !this.server.isRunning) throw connectionBroke(new Error('it was not there'));
    this.sent.push(what);
    try {
      const result = await work();
      if (fault === 'lost') throw connectionBroke(new Error('the answer was lost'));
      return result;
    } catch (error) {
      if (error instanceof ServerError && isConnectionLoss(error)) throw connectionBroke(error);
      throw error;
    }
  }
}
