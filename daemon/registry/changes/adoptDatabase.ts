import {
  databaseForeign,
  databaseNameInvalid,
  databaseNotThere,
  nameInvalid,
  nameTaken,
  notSettled,
  projectDropping,
} from '../failures.ts';
import { readMarker, writeMarker } from '../marker.ts';
import type { Marker, OwnedDatabase, RegistrarMetadata, RegistryRow, Sighting } from '../model.ts';
import { checkDatabaseName, checkName } from '../../protocol/names.ts';
import { requireBelieved } from '../evidence/owners.ts';
import type { Changed, RegistryPorts } from '../ports.ts';
import { changeRow } from '../settle/rowChanges.ts';
import { startRun } from '../settle/settleRun.ts';
import { rowMarker } from '../rowMarker.ts';

/**
 * Registers a database that exists: a forgotten project's, an orphan, or one that somebody made by hand. Only its
 * marker changes. The row records who owns it, so that other members' daemons believe it too.
 *
 * @param name the project's name; without one the marker's, else one made from the database's name
 * @returns the id of the project that has the database now
 * @throws RegistrarError DATABASE_NAME_INVALID, DATABASE_MISSING, DATABASE_FOREIGN, NAME_INVALID, PROJECT_CONFLICT,
 *   PROJECT_FORGOTTEN while its project is being dropped
 */
export async function adoptDatabase(databaseName: string, name: string | null, ports: RegistryPorts): Promise<string> {
  const checkedDatabase = checkDatabaseName(databaseName);
  if (!checkedDatabase.ok) throw databaseNameInvalid(databaseName, checkedDatabase.reason);
  for (let attempt = 0; attempt < 3; attempt++) {
    const database = await ports.catalog.lookDatabase(databaseName);
    if (database.presence !== 'present') throw databaseNotThere(databaseName);
    const owner = await ports.registry.lookDatabaseOwner(databaseName);
    await requireBelieved(databaseName, database, owner?.row ?? null, ports.catalog);
    const { id, changed } = owner
      ? await claimForOwner(owner, database, ports)
      : await register(databaseName, name, database, ports);
    if (changed === 'done') return id;
  }
  throw notSettled(databaseName);
}

interface Adopted {
  id: string;
  changed: Changed;
}

/** A row already names this database, so only the marker can be missing. */
async function claimForOwner(owner: Sighting, database: OwnedDatabase, ports: RegistryPorts): Promise<Adopted> {
  const { row } = owner;
  if (row.registrar.state === 'dropping') throw projectDropping(row);
  const reading = readMarker(database.comment);
  if (
    reading.kind === 'marker' &&
    (reading.marker.projectId !== row.id || reading.marker.registry !== ports.catalog.registry)
  ) {
    throw databaseForeign(
      row,
      row.databaseName,
      `its marker says project "${reading.marker.name}" (${reading.marker.projectId})`,
    );
  }
  const run = startRun(ports, { dryRun: false, expect: null });
  const schemaVersion = reading.kind === 'marker' ? reading.marker.schemaVersion : null;
  const comment = {
    databaseName: row.databaseName,
    seen: database.comment,
    comment: writeMarker(rowMarker(row, schemaVersion, ports), database.comment),
  };
  return {
    id: row.id,
    changed: await changeRow(run, owner, { registrar: { state: 'ready', ...adoptedFrom(database) } }, comment),
  };
}

async function register(
  databaseName: string,
  name: string | null,
  database: OwnedDatabase,
  ports: RegistryPorts,
): Promise<Adopted> {
  const reading = readMarker(database.comment);
  const marker = reading.kind === 'marker' ? reading.marker : null;
  if (marker && marker.registry !== ports.catalog.registry) {
    const row = { id: marker.projectId, name: marker.name };
    throw databaseForeign(row, databaseName, `its marker says registry ${marker.registry}`);
  }
  const wanted = name ?? marker?.name ?? nameFrom(databaseName);
  const checked = checkName(wanted);
  if (!checked.ok) throw nameInvalid(wanted, checked.reason, checked.proposal);
  const now = ports.origin.now();
  const row: RegistryRow = {
    id: marker?.projectId ?? ports.origin.newId(),
    name: wanted,
    databaseName,
    description: null,
    createdAt: marker && !Number.isNaN(Date.parse(marker.createdAt)) ? marker.createdAt : now,
    updatedAt: now,
    metadata: {},
    registrar: {
      state: 'ready',
      creator: ports.origin.creator,
      lastUsedAt: now,
      ...adoptedFrom(database),
      ...evidenceOf(marker),
    },
  };
  const comment = writeMarker(rowMarker(row, marker?.schemaVersion ?? null, ports), database.comment);
  const changed = await ports.registry.insert(row, { databaseName, seen: database.comment, comment });
  if (changed === 'taken') await refuseTaken(row, ports);
  return { id: row.id, changed };
}

/** A forgotten project comes back with what its marker kept, so that its clones are still its own. */
function evidenceOf(marker: Marker | null): Pick<RegistrarMetadata, 'evidence'> {
  if (!marker?.evidence) return {};
  return { evidence: { origins: [], folder: null, claims: [], hashes: marker.evidence } };
}

/**
 * Says who has the name or id. If nobody has it any more, or somebody registered this database meanwhile, observe
 * again.
 */
async function refuseTaken(row: RegistryRow, ports: RegistryPorts): Promise<void> {
  const looked = await ports.registry.look({ id: row.id, name: row.name }, true);
  const other =
    looked.kind === 'seen' ? looked.sightings.find((seen) => seen.row.databaseName !== row.databaseName) : undefined;
  if (other) throw nameTaken(row.name, other.row);
}

function adoptedFrom({ owner }: OwnedDatabase): { adoptedOwner?: string } {
  return owner === null ? {} : { adoptedOwner: owner };
}

/** `cb_proj_my_shop_1f2e3d4c` → `my_shop`. */
function nameFrom(databaseName: string): string {
  return databaseName.replace(/^cb_proj_/, '').replace(/_[a-f0-9]{8}$/, '');
}
