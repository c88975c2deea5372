import { addressEnvironment } from '../postgres/address/address.ts';
import { passwordFor } from '../postgres/address/pgpass.ts';
import { proveDatabase } from '../postgres/databases/proveDatabase.ts';
import type { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import type { Project } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { NotProved } from './handOver.ts';
import type { EngineLog } from './engine.ts';

/** The variables for a project's database on the host that has just said that it holds it. Throws NotProved. */
export async function connectionTo(
  project: Project,
  registry: RegistryDatabase,
  log: EngineLog,
): Promise<Record<string, string>> {
  const { address } = registry;
  const { id, databaseName } = project;
  const host = await proveDatabase(registry, project).catch((error: unknown) => {
    if (!(error instanceof RegistrarError)) throw error;
    const { code, message } = error;
    log.warn({ operation: 'hand over', projectId: id, databaseName, code }, message);
    throw new NotProved(error);
  });
  const password = await passwordFor(address, host, databaseName);
  return addressEnvironment({ ...address, password }, databaseName, host);
}
