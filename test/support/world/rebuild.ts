import { readMarker } from '../../../daemon/registry/marker.ts';
import type { WorldClient } from './client.ts';
import type { Transaction, WorldServer } from './server.ts';

/** Whether a role's databases are believed, as `daemon/postgres/databases/believedOwners.ts` asks the catalog. */
export function isBelievedOwner(server: WorldServer, owner: string, { role, ownerRole }: WorldClient): boolean {
  const isSuperuser = server.roles.get(owner)?.isSuperuser === true;
  return isSuperuser || server.memberships(role).has(owner) || owner === ownerRole || owner === server.tableOwner;
}

/** A table that was lost is made again and gets every project back from the markers; forgotten ones stay forgotten. */
export async function rebuild(server: WorldServer, transaction: Transaction, client: WorldClient): Promise<void> {
  server.hasTable = true;
  server.rows.clear();
  server.tableOwner = client.role;
  for (const [databaseName, { owner, comment, isInterrupted }] of server.databases) {
    const reading = readMarker(comment);
    if (isInterrupted || !isBelievedOwner(server, owner, client)) continue;
    if (reading.kind === 'none' || reading.marker.registry !== server.registry) continue;
    const { projectId: id, name, createdAt, forgottenAt, evidence: hashes = [] } = reading.marker;
    const isNamed = /^[a-zA-Z0-9_ -]+$/.test(name) && /^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$/.test(databaseName);
    if (forgottenAt !== null || !isNamed) continue;
    const evidence = hashes.length === 0 ? {} : { evidence: { origins: [], folder: null, claims: [], hashes } };
    const { at } = transaction;
    const times = { createdAt: Number.isNaN(Date.parse(createdAt)) ? at : createdAt, updatedAt: at };
    const metadata = { registrar: { state: 'ready', rebuilt: true, ...evidence } };
    await server.insert(transaction, { id, name, databaseName, description: null, ...times, metadata }, true);
  }
}
