import type { Project } from '../../protocol/model.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { named } from '../../protocol/visibleText.ts';
import { databaseGone } from '../../registry/failures.ts';
import { requireOwnWord } from '../../registry/handOver.ts';
import { hostLabel } from '../address/address.ts';
import type { HostPort } from '../address/addressParts.ts';
import { wordOf, wordSql, type WordRow } from './databaseWord.ts';
import { withConnection } from '../connection/directConnection.ts';
import { ProjectConnection } from '../connection/projectConnection.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { unreachableFor } from '../registry/registryFaults.ts';
import { troubleOf } from '../connection/serverTrouble.ts';
import { serverWords, sqlState } from '../connection/sqlErrors.ts';

/**
 * Connects to a project's own database, as the program that gets its address will, and asks it which project owns it.
 * The registry and its connections prove nothing: another server may be behind them, or none.
 *
 * @returns the host that answered
 * @throws RegistrarError DATABASE_MISSING, DATABASE_FOREIGN, MARKER_MISSING, PROJECT_FORGOTTEN, what keeps the
 *   connection from being made, and REGISTRY_BUSY if the database does not answer in time
 */
export async function proveDatabase(registry: RegistryDatabase, project: Project): Promise<HostPort> {
  const { writeMs, provisionMs } = registry.limits;
  const limits = { connectMs: writeMs, workMs: writeMs };
  // The role's and the database's own limits are for applications. The server gives up a little before the connection is
  // cut, so that it says what was waited for.
  const statementMs = Math.ceil(writeMs * 0.8);
  const beginning = { access: 'read only', statementMs, lockMs: 0, isSilent: false } as const;
  const prove = (): Promise<HostPort> =>
    withConnection(registry.address, project.databaseName, limits, async (client, host) => {
      const [row] = await ProjectConnection.ask<WordRow>(client, beginning, wordSql);
      requireOwnWord(project, registry.name, wordOf(row));
      return host;
    });
  try {
    return await registry.proofs.run(provisionMs, () => unreachableFor('what was asked before', provisionMs), prove);
  } catch (error) {
    throw noWord(error, project) ?? missingAsProject(error, project, registry.address.hosts.map(hostLabel).join(','));
  }
}

/** The server's refusal to answer, as its own trouble; null for any other error. */
function noWord(error: unknown, project: Project): RegistrarError | null {
  const state = sqlState(error);
  const trouble = troubleOf(state);
  if (error instanceof RegistrarError || !trouble) return null;
  return new RegistrarError(
    {
      code: trouble.code,
      message: `Database ${named(project.databaseName)} did not say which project owns it (${String(state)}).`,
      hint: trouble.hint,
      details: { database: project.databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}

/** A missing project database as a project's error; any other error as it is. */
export function missingAsProject(error: unknown, project: Project, label: string): unknown {
  if (!(error instanceof RegistrarError) || sqlState(error) !== '3D000') return error;
  return databaseGone(project, label, error);
}
