import { databaseOfStranger } from '../failures.ts';
import type { OwnedDatabase, RegistryRow } from '../model.ts';
import type { CatalogPort } from '../ports.ts';

/**
 * Whether Registrar believes what a database says of itself, or that it has this name: because of its owner, or because
 * the row says that it was created as this owner's, or that a person adopted it from this owner. Without the row's
 * word, colleagues with unrelated roles would take each other's new databases for a stranger's.
 *
 * @param row the row that names it, null where none does
 */
export function isBelieved({ owner, isOwnerBelieved }: OwnedDatabase, row: RegistryRow | null): boolean {
  return isOwnerBelieved || (owner !== null && [row?.registrar.madeAs, row?.registrar.adoptedOwner].includes(owner));
}

/** Throws DATABASE_FOREIGN, naming owner and grant, for a database whose owner is not believed. */
export async function requireBelieved(
  databaseName: string,
  database: OwnedDatabase,
  row: RegistryRow | null,
  catalog: Pick<CatalogPort, 'abilities'>,
): Promise<void> {
  if (database.presence === 'absent' || isBelieved(database, row)) return;
  const { role } = await catalog.abilities();
  throw databaseOfStranger(databaseName, database.owner, role);
}
