import type { Project } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { databaseGone } from '../registry/failures.ts';
import { requireOwnWord } from '../registry/handOver.ts';
import { hostLabel, type HostPort } from './address.ts';
import { askDatabase } from './databaseWord.ts';
import { withConnection } from './directConnection.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import { unreachableFor } from './registryFaults.ts';
import { sqlState } from './sqlErrors.ts';

/**
 * Connects to a project's own database, as whoever gets its address will, and asks it whose it is. Neither the registry nor
 * its connections have a say: behind them may be another server, or nobody.
 *
 * @returns the host that answered
 * @throws RegistrarError DATABASE_MISSING, DATABASE_FOREIGN, MARKER_MISSING, PROJECT_FORGOTTEN, and what keeps the
 *   connection from being made
 */
export async function proveDatabase(registry: RegistryDatabase, project: Project): Promise<HostPort> {
  const { writeMs, provisionMs } = registry.limits;
  const limits = { connectMs: writeMs, workMs: writeMs };
  const prove = (): Promise<HostPort> =>
    withConnection(registry.address, project.databaseName, limits, async (client, host) => {
      requireOwnWord(project, registry.name, await askDatabase(client));
      return host;
    });
  try {
    return await registry.proofs.run(provisionMs, () => unreachableFor('what was asked before', provisionMs), prove);
  } catch (error) {
    throw missingAsProject(error, project, registry.address.hosts.map(hostLabel).join(','));
  }
}

/** That a project's database is not there, in the words of projects; any other error as it is. */
export function missingAsProject(error: unknown, project: Project, label: string): unknown {
  if (!(error instanceof RegistrarError) || sqlState(error) !== '3D000') return error;
  return databaseGone(project, label, error);
}
