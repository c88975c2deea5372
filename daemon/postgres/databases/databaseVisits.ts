import { inProjectDatabase, type Access, type ProjectConnection } from '../connection/projectConnection.ts';
import { Turns } from '../connection/turns.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { unreachableFor } from '../registry/registryFaults.ts';

/**
 * Short visits to project databases, which have no pools. A hundred that are created at once must not take every
 * connection of the server, nor every connection of the registry's pool, because readers would then wait behind them
 * until their own, much shorter limit is over. So whatever creates or visits a database waits for a slot.
 */
export class DatabaseVisits {
  readonly #registry: RegistryDatabase;
  readonly #turns = new Turns(4);

  constructor(registry: RegistryDatabase) {
    this.#registry = registry;
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { provisionMs } = this.#registry.limits;
    const tooLate = () => unreachableFor('other projects, which are made at the same time,', provisionMs);
    return this.#turns.run(provisionMs, tooLate, work);
  }

  /** For callers that already have a slot. */
  visit<T>(databaseName: string, access: Access, work: (connection: ProjectConnection) => Promise<T>): Promise<T> {
    const { writeMs, provisionMs } = this.#registry.limits;
    const limits = { connectMs: writeMs, workMs: provisionMs, access };
    return inProjectDatabase(this.#registry, databaseName, limits, work);
  }

  visitInTurn<T>(
    databaseName: string,
    access: Access,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    return this.inTurn(() => this.visit(databaseName, access, work));
  }
}
