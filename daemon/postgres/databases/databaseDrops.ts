import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DropObstacle } from '../../registry/ports.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import type { CatalogLooks } from './catalogLooks.ts';
import { dropFailed } from './databaseFaults.ts';
import { obstacleIn, obstaclesSql } from './dropObstacles.ts';

/**
 * How long sessions get to leave, and how often we look, ms. A client that has closed its connection is still there for a
 * moment, so PostgreSQL's own DROP DATABASE waits for up to five seconds, too.
 */
const leavingMs = 2000;
const lookEveryMs = 100;

/** Drops databases of projects, as `CatalogPort` says. */
export class DatabaseDrops {
  readonly #registry: RegistryDatabase;
  readonly #looks: CatalogLooks;

  constructor(registry: RegistryDatabase, looks: CatalogLooks) {
    this.#registry = registry;
    this.#looks = looks;
  }

  async finish(databaseName: string): Promise<void> {
    if (!(await this.#isInterrupted(databaseName))) return;
    await this.#oneAtATime(databaseName, async () => {
      if (!(await this.#isInterrupted(databaseName))) return;
      await this.#execute(`drop database if exists ${pg.escapeIdentifier(databaseName)}`);
    });
  }

  async obstacle(databaseName: string): Promise<DropObstacle | null> {
    const deadline = performance.now() + leavingMs;
    for (;;) {
      const [row] = await this.#registry.read(
        { text: obstaclesSql, values: [databaseName] },
        this.#registry.limits.writeMs,
      );
      const obstacle = obstacleIn(row, databaseName);
      if (!obstacle?.mayPass || performance.now() >= deadline) return obstacle;
      await delay(lookEveryMs);
    }
  }

  /** @throws RegistrarError PROVISION_FAILED */
  async drop(databaseName: string, isMeant: (comment: string | null) => boolean): Promise<void> {
    await this.#oneAtATime(databaseName, async () => {
      const { presence, comment } = await this.#looks.lookDatabase(databaseName);
      if (presence === 'absent' || !isMeant(comment)) return;
      try {
        await this.#execute(`drop database if exists ${pg.escapeIdentifier(databaseName)} with (force)`);
      } catch (error) {
        throw dropFailed(error, databaseName);
      }
    });
  }

  /** A daemon that looked before another one dropped it would drop what was created since. */
  #oneAtATime(databaseName: string, work: () => Promise<void>): Promise<void> {
    return this.#registry.oneAtATime(`drop of ${databaseName}`, this.#registry.limits.provisionMs, work);
  }

  async #execute(text: string): Promise<void> {
    await this.#registry.query({ text, values: [] }, this.#registry.limits.provisionMs);
  }

  async #isInterrupted(databaseName: string): Promise<boolean> {
    return (await this.#looks.lookDatabase(databaseName)).presence === 'interrupted';
  }
}
