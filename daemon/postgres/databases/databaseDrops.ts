import pg from 'pg';
import type { DropObstacle } from '../../registry/ports.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import type { CatalogLooks } from './catalogLooks.ts';
import { dropFailed } from './databaseFaults.ts';
import { obstacleIn, obstaclesSql } from './dropObstacles.ts';

/** Drops databases of projects, as `CatalogPort` says. */
export class DatabaseDrops {
  readonly #registry: RegistryDatabase;
  readonly #looks: CatalogLooks;

  constructor(registry: RegistryDatabase, looks: CatalogLooks) {
    this.#registry = registry;
    this.#looks = looks;
  }

  async finish(databaseName: string): Promise<void> {
    const { provisionMs } = this.#registry.limits;
    if (!(await this.#isInterrupted(databaseName))) return;
    // Whoever looked before another one finished it would drop what was made anew since.
    await this.#registry.oneAtATime(`drop of ${databaseName}`, provisionMs, async () => {
      if (!(await this.#isInterrupted(databaseName))) return;
      const text = `drop database if exists ${pg.escapeIdentifier(databaseName)}`;
      await this.#registry.query({ text, values: [] }, provisionMs);
    });
  }

  async obstacle(databaseName: string): Promise<DropObstacle | null> {
    const [row] = await this.#registry.read(
      { text: obstaclesSql, values: [databaseName] },
      this.#registry.limits.writeMs,
    );
    return obstacleIn(row, databaseName);
  }

  /** @throws RegistrarError PROVISION_FAILED */
  async drop(databaseName: string): Promise<void> {
    const text = `drop database if exists ${pg.escapeIdentifier(databaseName)} with (force)`;
    try {
      await this.#registry.query({ text, values: [] }, this.#registry.limits.provisionMs);
    } catch (error) {
      throw dropFailed(error, databaseName);
    }
  }

  async #isInterrupted(databaseName: string): Promise<boolean> {
    return (await this.#looks.lookDatabase(databaseName)).presence === 'interrupted';
  }
}
