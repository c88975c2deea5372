import pg from 'pg';
import { sqlState } from '../connection/sqlErrors.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { createFailed } from './databaseFaults.ts';
import type { DatabaseVisits } from './databaseVisits.ts';
import { closePublicSchema, opensPublicSql } from './publicSchema.ts';

/** Creates databases for projects, from template0 if template1 cannot be copied. */
export class DatabaseMaker {
  readonly #registry: RegistryDatabase;
  readonly #visits: DatabaseVisits;
  /** Asked once: neither the server's major version nor the role changes while an engine is open. */
  #opensPublic: Promise<boolean> | null = null;

  constructor(registry: RegistryDatabase, visits: DatabaseVisits) {
    this.#registry = registry;
    this.#visits = visits;
  }

  /** @throws RegistrarError PROVISION_FAILED */
  async make(databaseName: string): Promise<'created' | 'exists'> {
    const { role, ownerRole } = this.#registry;
    try {
      await this.#create(databaseName, 'template1').catch((error: unknown) => {
        if (!isTemplateTrouble(error)) throw error;
        return this.#create(databaseName, 'template0');
      });
      if (await this.#isPublicOpen()) {
        await this.#visits.visitInTurn(databaseName, 'read write', closePublicSchema).catch((error: unknown) => {
          // The next step checks whether it exists.
          if (sqlState(error) !== '3D000') throw error;
        });
      }
      return 'created';
    } catch (error) {
      this.#opensPublic = null;
      const state = sqlState(error);
      // 23505 on pg_database_datname_index: another CREATE DATABASE of the same name committed at the same instant.
      if (state === '42P04' || state === '23505') return 'exists';
      throw createFailed(error, databaseName, role, ownerRole);
    }
  }

  async #create(databaseName: string, template: 'template1' | 'template0'): Promise<void> {
    const { ownerRole, limits } = this.#registry;
    const owner = ownerRole === null ? '' : ` owner ${pg.escapeIdentifier(ownerRole)}`;
    const text = `create database ${pg.escapeIdentifier(databaseName)}${owner}${template === 'template0' ? ' template template0' : ''}`;
    await this.#visits.inTurn(() => this.#registry.query({ text, values: [] }, limits.provisionMs));
  }

  #isPublicOpen(): Promise<boolean> {
    const { limits } = this.#registry;
    this.#opensPublic ??= this.#registry
      .query({ text: opensPublicSql }, limits.writeMs)
      .then((rows) => rows.length > 0);
    return this.#opensPublic;
  }
}

/** 55006: someone is connected to template1. XX000: template1's collation version is not this system's any more. */
function isTemplateTrouble(error: unknown): boolean {
  const state = sqlState(error);
  return state === '55006' || (state === 'XX000' && error instanceof Error && error.message.includes('collation'));
}
