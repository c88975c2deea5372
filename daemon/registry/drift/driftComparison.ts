import {
  configContradicts,
  configWithoutRow,
  copyOfProject,
  danglingRow,
  databaseRenamed,
  folderGone,
  interruptedCreation,
  interruptedDrop,
  markerForeign,
  markerForgotten,
  markerMissing,
  markerNameDiffers,
  orphanDatabase,
  ownerForeign,
  parkedProject,
  pendingProject,
  remainsOfDrop,
  schemaOld,
  sharedId,
  sharedOrphanId,
  strangersDatabase,
  unknownId,
  unownedDatabase,
  type Drifted,
  type SeenConfig,
} from './driftFindings.ts';
import { readMarker, standingOf } from '../marker.ts';
import type { Marker, NamedDatabase, RegistryRow, Sighting } from '../model.ts';
import { checkDatabaseName } from '../../protocol/names.ts';
import { isBelieved } from '../evidence/owners.ts';
import { isFreshReservation } from '../settle/reservation.ts';
import type { OutboxEntry } from '../delivery/outboxRules.ts';

/** The four places as they were read. */
export interface DriftReading {
  /** The registry's name as markers carry it. */
  registry: string;
  /** This machine, as recorded folders name it. */
  host: string;
  /** ISO 8601. */
  now: string;
  /** SHA-256 of the configured project schema, null when there is none. */
  schemaVersion: string | null;
  /** All rows of the registry, each with its database. */
  rows: readonly Sighting[];
  /** Databases that are marked, or named like a project's, those of rows among them. */
  databases: readonly NamedDatabase[];
  /** This daemon's projects that the registry does not know yet. */
  outbox: readonly OutboxEntry[];
  configs: readonly SeenConfig[];
  /** Folders of this machine that rows record and that are not there. */
  goneFolders: ReadonlySet<string>;
}

/** Where the four places disagree, in an order that depends only on what was read. */
export function compareDrift(reading: DriftReading): Drifted[] {
  const facts = factsOf(reading);
  const found = [
    ...reading.outbox.flatMap((entry) => ofEntry(entry, facts)),
    ...ofUnlisted(facts),
    ...reading.configs.flatMap((config) => ofConfig(config, facts)),
  ];
  for (const sighting of reading.rows) found.push(...ofRow(sighting, facts));
  return found.sort(inOrder);
}

interface Marked extends NamedDatabase {
  marker: Marker;
}

/** What was read, indexed by the keys that the comparison looks up. */
interface Facts extends DriftReading {
  /** The indexes over all rows are built at the first lookup: most registries of a hundred thousand rows need none. */
  rowIds: () => Set<string>;
  /** Former ids count, too, where no row has them as its own; the same for outbox entries. */
  byId: () => Map<string, RegistryRow>;
  byName: () => Map<string, RegistryRow>;
  byDatabase: () => Map<string, NamedDatabase>;
  /** Usable databases with a live marker of this registry, by the marker's id; some may be strangers'. */
  live: Map<string, Marked[]>;
  /** Those whose owner is believed. */
  forgotten: Marked[];
  /** Databases that no row and no outbox entry names. */
  unlisted: NamedDatabase[];
}

function factsOf(reading: DriftReading): Facts {
  const live = new Map<string, Marked[]>();
  const forgotten: Marked[] = [];
  for (const database of reading.databases) {
    const marker = ownMarker(database, reading.registry);
    if (!marker) continue;
    const marked = { ...database, marker };
    if (marker.forgottenAt !== null) {
      if (database.isOwnerBelieved) forgotten.push(marked);
    } else if (database.presence === 'present')
      live.set(marker.projectId, [...(live.get(marker.projectId) ?? []), marked]);
  }
  const unlisted = new Map(reading.databases.map((database) => [database.databaseName, database]));
  for (const { row } of [reading.outbox, reading.rows].flat()) unlisted.delete(row.databaseName);
  return {
    ...reading,
    rowIds: once(() => new Set(reading.rows.map(({ row }) => row.id))),
    byId: once(() => rowsById(reading)),
    byName: once(() => new Map([reading.outbox, reading.rows].flat().map(({ row }) => [row.name, row]))),
    byDatabase: once(() => new Map(reading.databases.map((database) => [database.databaseName, database]))),
    live,
    forgotten,
    unlisted: [...unlisted.values()],
  };
}

function rowsById({ outbox, rows }: DriftReading): Map<string, RegistryRow> {
  const byId = new Map<string, RegistryRow>();
  const all = [outbox, rows].flat();
  for (const { row } of all) for (const id of row.registrar.formerIds ?? []) if (!byId.has(id)) byId.set(id, row);
  // A row's own id counts before anybody's former one.
  for (const { row } of all) byId.set(row.id, row);
  return byId;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function ownMarker({ comment }: NamedDatabase, registry: string): Marker | null {
  const read = readMarker(comment);
  return read.kind === 'marker' && read.marker.registry === registry ? read.marker : null;
}

function ofRow(sighting: Sighting, facts: Facts): Drifted[] {
  const { row } = sighting;
  const state = row.registrar.state ?? 'ready';
  if (state === 'dropping') return [interruptedDrop(sighting), ...copiesOf(row, facts)];
  if (state === 'provisioning')
    return [...(isFreshReservation(row, facts.now) ? [] : [interruptedCreation(sighting)]), ...copiesOf(row, facts)];
  const { folder } = row.registrar;
  const isFolderGone = folder?.host === facts.host && facts.goneFolders.has(folder.path);
  const found = ofReadyRow(sighting, facts);
  if (isFolderGone) found.push(folderGone(sighting, folder.path));
  return found;
}

function ofReadyRow(sighting: Sighting, facts: Facts): Drifted[] {
  const { row, database } = sighting;
  const elsewhere = elsewhereOf(row, facts);
  const [first, ...more] = elsewhere;
  if (database.presence === 'absent') {
    if (first === undefined) return [danglingRow(sighting)];
    if (more.length > 0) return [sharedId(sighting, elsewhere, false)];
    return [databaseRenamed(sighting, first, checkDatabaseName(first).ok)];
  }
  const read = readMarker(database.comment);
  const standing = standingOf(database.comment, row, facts.registry);
  if (database.presence === 'interrupted' && standing !== 'other') return [remainsOfDrop(row.databaseName, row)];
  const owned = standing === 'mine' ? undefined : facts.byDatabase().get(row.databaseName);
  if (owned && !isBelieved(owned, row)) return [ownerForeign(sighting, owned.owner)];
  switch (standing) {
    case 'none':
      return [elsewhere.length > 0 ? sharedId(sighting, elsewhere, false) : markerMissing(sighting)];
    case 'forgotten':
      return [markerForgotten(sighting)];
    case 'other':
      return read.kind === 'marker' ? [markerForeign(sighting, read.marker, facts.registry, elsewhere)] : [];
    case 'mine':
      return [
        ...(elsewhere.length > 0 ? [sharedId(sighting, elsewhere, true)] : []),
        ...(read.kind === 'marker' ? ofOwnMarker(sighting, read.marker, facts.schemaVersion) : []),
      ];
  }
}

/** Names of other databases that carry the row's id; most rows have none. */
function elsewhereOf(row: RegistryRow, facts: Facts): readonly string[] {
  return markedElsewhere(row, facts)
    .map(({ databaseName }) => databaseName)
    .sort();
}

/** A project that is being made or dropped may have had its database renamed; nobody decides by that what is its own. */
function copiesOf(row: RegistryRow, facts: Facts): Drifted[] {
  return markedElsewhere(row, facts).map(({ databaseName, marker }) => copyOfProject(databaseName, marker, row));
}

function markedElsewhere(row: RegistryRow, { live }: Facts): readonly Marked[] {
  const marked = live.get(row.id);
  if (!marked) return nowhere;
  return marked.filter((one) => isBelieved(one, row) && one.databaseName !== row.databaseName);
}

const nowhere: readonly Marked[] = [];

function ofOwnMarker(sighting: Sighting, marker: Marker, schemaVersion: string | null): Drifted[] {
  const isOld = schemaVersion !== null && marker.schemaVersion !== schemaVersion;
  return [
    ...(marker.name === sighting.row.name ? [] : [markerNameDiffers(sighting, marker)]),
    ...(isOld ? [schemaOld(sighting, marker.schemaVersion, schemaVersion)] : []),
  ];
}

function ofEntry({ row, state, error }: OutboxEntry, facts: Facts): Drifted[] {
  // The registry has it by now, so it is on its way out of the outbox.
  if (facts.rowIds().has(row.id)) return [];
  if (row.registrar.state === 'dropping') {
    const seen = facts.databases.find(({ databaseName }) => databaseName === row.databaseName);
    const database = { presence: seen?.presence ?? 'absent', comment: seen?.comment ?? null } as const;
    return [interruptedDrop({ row, database, sync: { state } })];
  }
  const reason = error.message.replace(/\.$/, '');
  return [state === 'parked' ? parkedProject(row, reason) : pendingProject(row, reason)];
}

/** Databases that nobody lists: this registry's are orphans, unless they were forgotten on purpose. */
function ofUnlisted(facts: Facts): Drifted[] {
  const found: Drifted[] = [];
  const orphans = new Map<string, Marked[]>();
  for (const database of facts.unlisted) {
    const { databaseName, presence, comment } = database;
    const marker = ownMarker(database, facts.registry);
    const isMarked = readMarker(comment).kind === 'marker';
    if (!database.isOwnerBelieved) {
      if (marker || !isMarked) found.push(strangersDatabase(databaseName, database.owner));
    } else if (marker && presence === 'interrupted')
      found.push(remainsOfDrop(databaseName, { id: marker.projectId, name: marker.name }));
    else if (!isMarked) found.push(unownedDatabase(databaseName));
    // A copy of a project that has a row is reported with that row.
    else if (marker?.forgottenAt === null && !facts.rowIds().has(marker.projectId))
      orphans.set(marker.projectId, [...(orphans.get(marker.projectId) ?? []), { ...database, marker }]);
  }
  return [...found, ...[...orphans.values()].flatMap((marked) => ofOrphans(marked, facts))];
}

/** Databases with one id that no row has now. */
function ofOrphans(marked: Marked[], facts: Facts): Drifted[] {
  return marked.flatMap(({ databaseName, marker }, index) => {
    // This id belongs to a project that was re-keyed, or that waits in the outbox with another database.
    const owner = facts.byId().get(marker.projectId);
    if (owner) return [copyOfProject(databaseName, marker, owner)];
    if (marked.length === 1) return [orphanDatabase(databaseName, marker, facts.byName().has(marker.name))];
    return index === 0 ? [sharedOrphanId(marker, marked.map((one) => one.databaseName).sort())] : [];
  });
}

function ofConfig(config: SeenConfig, facts: Facts): Drifted[] {
  const byName = facts.byName().get(config.name) ?? null;
  const byId = config.id === null ? null : (facts.byId().get(config.id) ?? null);
  if (byId) return byName && byName.id !== byId.id ? [configContradicts(config, byId, byName)] : [];
  const isForgotten = facts.forgotten.some(({ marker }) =>
    config.id === null ? marker.name === config.name : marker.projectId === config.id,
  );
  if (isForgotten && !byName) return [];
  if (byName) return config.id === null ? [] : [unknownId(config, byName)];
  const orphan = [...facts.live.values()]
    .flat()
    .find(
      ({ marker, isOwnerBelieved }) =>
        isOwnerBelieved && (config.id === null ? marker.name === config.name : marker.projectId === config.id),
    );
  return [configWithoutRow(config, orphan?.databaseName ?? null)];
}

function inOrder({ finding: one }: Drifted, { finding: other }: Drifted): number {
  return (
    compareText(one.kind, other.kind) ||
    compareText(one.project?.id ?? '', other.project?.id ?? '') ||
    compareText(one.database ?? '', other.database ?? '') ||
    compareText(one.message, other.message)
  );
}

function compareText(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
