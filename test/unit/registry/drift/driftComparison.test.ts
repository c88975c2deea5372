import assert from 'node:assert/strict';
import { driftKinds, driftNotes, type DriftKind } from '../../../../daemon/protocol/drift.ts';
import type { Drifted } from '../../../../daemon/registry/drift/driftFindings.ts';
import { writeMarker } from '../../../../daemon/registry/marker.ts';
import type {
  Marker,
  NamedDatabase,
  RegistrarMetadata,
  RegistryRow,
  Sighting,
} from '../../../../daemon/registry/model.ts';
import { compareDrift, type DriftReading } from '../../../../daemon/registry/drift/driftComparison.ts';
import type { OutboxEntry } from '../../../../daemon/registry/delivery/outboxRules.ts';

const shopId = '1f2e3d4c-0000-4000-8000-000000000001';
const payId = '2f2e3d4c-0000-4000-8000-000000000002';
const oldId = '3f2e3d4c-0000-4000-8000-000000000003';
const shopDatabase = 'cb_proj_shop_1f2e3d4c';
const payDatabase = 'cb_proj_pay_2f2e3d4c';
const now = '2026-11-03T09:10:00.000Z';

function rowOf(changes: Partial<RegistryRow> = {}): RegistryRow {
  return {
    id: shopId,
    name: 'shop',
    databaseName: shopDatabase,
    description: null,
    createdAt: '2026-11-03T09:00:00.000Z',
    updatedAt: '2026-11-03T09:00:00.000Z',
    metadata: {},
    registrar: { state: 'ready' },
    ...changes,
  };
}

const pay = rowOf({ id: payId, name: 'pay', databaseName: payDatabase });

function markerOf(changes: Partial<Marker> = {}): string {
  const marker = {
    registry: 'registry',
    projectId: shopId,
    name: 'shop',
    createdAt: '2026-11-03T09:00:00.000Z',
    schemaVersion: null,
    forgottenAt: null,
  };
  return writeMarker({ ...marker, ...changes }, null);
}

const database = (
  databaseName: string,
  comment: string | null,
  presence: NamedDatabase['presence'] = 'present',
): NamedDatabase => ({ databaseName, comment, presence, owner: 'us', isOwnerBelieved: true });

/** Of a role whose databases are not believed. */
const planted = (databaseName: string, comment: string | null): NamedDatabase => ({
  ...database(databaseName, comment),
  owner: 'mate',
  isOwnerBelieved: false,
});

function readingOf(parts: Partial<DriftReading> & { row?: RegistryRow }): DriftReading {
  const databases = parts.databases ?? [database(shopDatabase, markerOf())];
  const sightingOf = (row: RegistryRow): Sighting => {
    const seen = databases.find(({ databaseName }) => databaseName === row.databaseName);
    const { presence, comment } = seen ?? { presence: 'absent' as const, comment: null };
    return { row, database: { presence, comment }, sync: { state: 'synced' } };
  };
  return {
    registry: 'registry',
    host: 'here',
    now,
    schemaVersion: null,
    rows: [sightingOf(parts.row ?? rowOf())],
    databases,
    outbox: [],
    configs: [],
    goneFolders: new Set(),
    ...parts,
  };
}

function entryOf(state: OutboxEntry['state'], registrar: RegistrarMetadata = { state: 'ready' }): OutboxEntry {
  const row = { ...pay, registrar };
  const error = { code: '53100', message: state === 'pending' ? 'registry disk full (53100)' : 'the name is taken' };
  return { registry: 'r', row, state, since: now, attempts: 1, error };
}

const paySighting: Sighting = {
  row: pay,
  database: { presence: 'present', comment: markerOf({ projectId: payId, name: 'pay' }) },
  sync: { state: 'synced' },
};
const shopSighting: Sighting = { ...paySighting, row: rowOf(), database: { presence: 'present', comment: markerOf() } };
const both = [database(shopDatabase, markerOf()), database(payDatabase, markerOf({ projectId: payId, name: 'pay' }))];
const config = (name: string, id: string | null) => ({ path: '/w/shop/.codebase-mcp/config.json', name, id });

interface Case {
  when: string;
  reading: DriftReading;
  /** Kind, automatic actions, choices. */
  found: [DriftKind, string[], string[]][];
  says?: RegExp;
}

const cases: Case[] = [
  { when: 'everything agrees', reading: readingOf({}), found: [] },
  {
    when: 'a marked database has no row',
    reading: readingOf({ rows: [] }),
    found: [['orphan-database', [], ['adopt', 'leave']]],
    says: /cb_proj_shop_1f2e3d4c is project "shop"'s .* no row.*another machine.*registrar projects adopt cb_proj_shop_1f2e3d4c\)/,
  },
  {
    when: 'a marked database has no row, and its name is another project’s by now',
    reading: readingOf({ rows: [{ ...paySighting, row: { ...pay, name: 'shop' } }], databases: both.slice(0, 1) }),
    found: [
      ['name-conflict', ['update-marker'], []],
      ['orphan-database', [], ['adopt', 'leave']],
    ],
    says: /adopt cb_proj_shop_1f2e3d4c --name NAME\); its name has been taken since/,
  },
  {
    when: 'a database without a row was forgotten on purpose',
    reading: readingOf({ rows: [], databases: [database(shopDatabase, markerOf({ forgottenAt: now }))] }),
    found: [],
  },
  {
    when: 'a database is another registry’s',
    reading: readingOf({ rows: [], databases: [database(shopDatabase, markerOf({ registry: 'other' }))] }),
    found: [],
  },
  {
    when: 'a stranger’s database has a marker of this registry',
    reading: readingOf({ rows: [], databases: [planted(shopDatabase, markerOf())] }),
    found: [['unowned-database', [], ['leave']]],
    says: /belongs to role "mate", which this daemon's role is not a member of/,
  },
  {
    when: 'a stranger’s database has no marker, or another registry’s',
    reading: readingOf({
      rows: [],
      databases: [planted(shopDatabase, null), planted(payDatabase, markerOf({ registry: 'other' }))],
    }),
    found: [['unowned-database', [], ['leave']]],
  },
  {
    when: 'a stranger’s database carries the id of a project whose own is gone',
    reading: readingOf({ databases: [planted('cb_proj_copy_00000001', markerOf())] }),
    found: [
      ['dangling-row', [], ['remake', 'forget']],
      ['unowned-database', [], ['leave']],
    ],
  },
  {
    when: 'a renamed database is its owner’s from whom it was adopted',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'ready', adoptedOwner: 'mate' } }),
      databases: [planted('cb_proj_copy_00000001', markerOf())],
    }),
    found: [
      ['database-renamed', ['point-to-database'], ['rename-database']],
      ['unowned-database', [], ['leave']],
    ],
  },
  {
    when: 'a stranger’s database stands in the place of the project’s, unmarked, foreign or forgotten',
    reading: readingOf({ databases: [planted(shopDatabase, null)] }),
    found: [['marker-foreign', [], ['adopt', 'forget']]],
    says: /belongs to role "mate"/,
  },
  {
    when: 'a stranger says that a project was forgotten',
    reading: readingOf({
      rows: [],
      databases: [planted('cb_proj_x_00000001', markerOf({ forgottenAt: now }))],
      configs: [config('shop', shopId)],
    }),
    found: [
      ['config-without-row', [], ['resolve', 'edit-config']],
      ['unowned-database', [], ['leave']],
    ],
  },
  {
    when: 'row and marker agree, and the owner is a colleague of no common role',
    reading: readingOf({ databases: [planted(shopDatabase, markerOf())] }),
    found: [],
  },
  {
    when: 'the marker is missing, and the owner is the role that made it',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'ready', madeAs: 'mate' } }),
      databases: [planted(shopDatabase, null)],
    }),
    found: [['marker-missing', ['restore-marker'], []]],
  },
  {
    when: 'an unmarked database has no row',
    reading: readingOf({ rows: [], databases: [database(shopDatabase, 'somebody’s note')] }),
    found: [['unowned-database', [], ['adopt', 'leave']]],
    says: /carries no marker.*codebase-mcp/,
  },
  {
    when: 'the database is gone',
    reading: readingOf({ databases: [] }),
    found: [['dangling-row', [], ['remake', 'forget']]],
    says: /is gone.*data is lost unless there is a backup.*registrar projects remake 1f2e3d4c-/,
  },
  {
    when: 'the marker is missing',
    reading: readingOf({ databases: [database(shopDatabase, null)] }),
    found: [['marker-missing', ['restore-marker'], []]],
    says: /carries no marker.*rebuilt registry.*mark cb_proj_shop_1f2e3d4c/,
  },
  {
    when: 'codebase-mcp wrote the row, which has no state',
    reading: readingOf({ row: rowOf({ registrar: {} }), databases: [database(shopDatabase, null)] }),
    found: [['marker-missing', ['restore-marker'], []]],
  },
  {
    when: 'the marker has a former id, as after restoring a dump',
    reading: readingOf({
      row: rowOf({ registrar: { formerIds: [oldId] } }),
      databases: [database(shopDatabase, markerOf({ projectId: oldId }))],
    }),
    found: [['marker-missing', ['restore-marker'], []]],
  },
  {
    when: 'the marker is another project’s',
    reading: readingOf({ databases: [database(shopDatabase, markerOf({ projectId: payId, name: 'pay' }))] }),
    found: [['marker-foreign', [], ['rename-database', 'forget']]],
    says: /its marker says project "pay" \(2f2e3d4c-[-0-9]+\)\..*refused/,
  },
  {
    when: 'the marker is another registry’s',
    reading: readingOf({ databases: [database(shopDatabase, markerOf({ registry: 'other' }))] }),
    found: [['marker-foreign', [], ['rename-database', 'forget']]],
    says: /of registry other\./,
  },
  {
    when: 'a DROP of a database that is another project’s was cut short',
    reading: readingOf({
      databases: [database(shopDatabase, markerOf({ projectId: payId, name: 'pay' }), 'interrupted')],
    }),
    found: [['marker-foreign', [], ['rename-database', 'forget']]],
  },
  {
    when: 'the marker says forgotten, and the row is there',
    reading: readingOf({ databases: [database(shopDatabase, markerOf({ forgottenAt: now }))] }),
    found: [['marker-forgotten', [], ['adopt', 'forget']]],
    says: /forgotten on purpose.*registrar projects adopt .*registrar projects forget/,
  },
  {
    when: 'the schema is old',
    reading: readingOf({
      schemaVersion: 'b'.repeat(64),
      databases: [database(shopDatabase, markerOf({ schemaVersion: 'a'.repeat(64) }))],
    }),
    found: [['schema-old', ['apply-schema'], []]],
    says: /has project schema aaaaaaaa; the configured one is bbbbbbbb/,
  },
  {
    when: 'the schema is missing',
    reading: readingOf({ schemaVersion: 'b'.repeat(64) }),
    found: [['schema-old', ['apply-schema'], []]],
    says: /has no project schema/,
  },
  {
    when: 'no schema is configured any more',
    reading: readingOf({ databases: [database(shopDatabase, markerOf({ schemaVersion: 'a'.repeat(64) }))] }),
    found: [],
  },
  {
    when: 'the database was renamed',
    reading: readingOf({ databases: [database('cb_proj_store_1f2e3d4c', markerOf())] }),
    found: [['database-renamed', ['point-to-database'], ['rename-database']]],
    says: /is gone, but cb_proj_store_1f2e3d4c carries its marker.*ALTER DATABASE "cb_proj_store_1f2e3d4c" RENAME TO "cb_proj_shop_1f2e3d4c"/,
  },
  {
    when: 'the database was renamed to what no project’s database may be called',
    reading: readingOf({ databases: [database('Store', markerOf())] }),
    found: [['database-renamed', [], ['rename-database']]],
    says: /no name for a project’s database/,
  },
  {
    when: 'the database is gone and two others carry its id',
    reading: readingOf({
      databases: [database('cb_proj_b_00000002', markerOf()), database('cb_proj_a_00000001', markerOf())],
    }),
    found: [['id-conflict', [], ['point-to-database', 'point-to-database', 'remove-marker', 'remove-marker']]],
    says: /cb_proj_a_00000001 and cb_proj_b_00000002 carry the id/,
  },
  {
    when: 'the row’s database carries its id, and a copy does, too',
    reading: readingOf({ databases: [both[0], database('cb_proj_copy_00000001', markerOf())].filter(isThere) }),
    found: [['id-conflict', [], ['remove-marker', 'leave']]],
    says: /cb_proj_copy_00000001 carries the id of project "shop" as well as its own/,
  },
  {
    when: 'the row’s database is unmarked, and another carries its id',
    reading: readingOf({ databases: [database(shopDatabase, null), database('cb_proj_copy_00000001', markerOf())] }),
    found: [['id-conflict', [], ['point-to-database', 'remove-marker']]],
  },
  {
    when: 'two databases without a row carry one id',
    reading: readingOf({ rows: [], databases: [...both.slice(0, 1), database('cb_proj_copy_00000001', markerOf())] }),
    found: [['id-conflict', [], ['adopt', 'adopt', 'remove-marker', 'remove-marker']]],
  },
  {
    when: 'a database without a row carries a former id of a project',
    reading: readingOf({
      row: rowOf({ registrar: { formerIds: [oldId] } }),
      databases: [...both.slice(0, 1), database('cb_proj_copy_00000001', markerOf({ projectId: oldId }))],
    }),
    found: [['id-conflict', [], ['remove-marker', 'leave']]],
  },
  {
    when: 'the row is being dropped',
    reading: readingOf({ row: rowOf({ registrar: { state: 'dropping' } }) }),
    found: [['interrupted-drop', ['finish-drop'], []]],
    says: /is being dropped.*name stays taken.*finish the drop that was confirmed/,
  },
  {
    when: 'the row is being dropped, and its database was renamed meanwhile',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'dropping' } }),
      databases: [database('cb_proj_moved_00000001', markerOf())],
    }),
    found: [
      ['id-conflict', [], ['remove-marker', 'leave']],
      ['interrupted-drop', ['finish-drop'], []],
    ],
    says: /cb_proj_moved_00000001.*carries/,
  },
  {
    when: 'a project in the outbox is being dropped',
    reading: readingOf({ rows: [], databases: [], outbox: [entryOf('parked', { state: 'dropping' })] }),
    found: [['interrupted-drop', ['finish-drop'], []]],
  },
  {
    when: 'a DROP DATABASE was cut short',
    reading: readingOf({ databases: [database(shopDatabase, markerOf(), 'interrupted')] }),
    found: [['interrupted-drop', ['remove-remains'], []]],
    says: /cut short; PostgreSQL lets nobody connect/,
  },
  {
    when: 'a DROP DATABASE was cut short, and no row is left',
    reading: readingOf({ rows: [], databases: [database(shopDatabase, markerOf(), 'interrupted')] }),
    found: [['interrupted-drop', ['remove-remains'], []]],
  },
  {
    when: 'a DROP DATABASE was cut short of what nobody owns',
    reading: readingOf({ rows: [], databases: [database(shopDatabase, null, 'interrupted')] }),
    found: [['unowned-database', [], ['adopt', 'leave']]],
  },
  {
    when: 'a reservation is 61 s old',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'provisioning' }, createdAt: '2026-11-03T09:08:59.000Z' }),
      databases: [],
    }),
    found: [['interrupted-creation', ['finish-creation'], ['forget']]],
    says: /was reserved at 2026-11-03T09:08:59\.000Z/,
  },
  {
    when: 'a reservation is 59 s old',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'provisioning' }, createdAt: '2026-11-03T09:09:01.000Z' }),
      databases: [database(shopDatabase, null)],
    }),
    found: [],
  },
  {
    when: 'the marker has another name',
    reading: readingOf({ databases: [database(shopDatabase, markerOf({ name: 'store' }))] }),
    found: [['name-conflict', ['update-marker'], []]],
    says: /says "store", the registry says "shop"/,
  },
  {
    when: 'the marker has another name and an old schema',
    reading: readingOf({ schemaVersion: 'b', databases: [database(shopDatabase, markerOf({ name: 'store' }))] }),
    found: [
      ['name-conflict', ['update-marker'], []],
      ['schema-old', ['apply-schema'], []],
    ],
  },
  {
    when: 'a project waits for the registry',
    reading: readingOf({ outbox: [entryOf('pending')] }),
    found: [['pending', ['deliver'], []]],
    says: /not registered yet: registry disk full \(53100\)\./,
  },
  {
    when: 'a project waits for a person',
    reading: readingOf({ outbox: [entryOf('parked')] }),
    found: [['parked', [], ['use', 'rename', 'forget']]],
    says: /cannot be registered: the name is taken\./,
  },
  {
    when: 'a project was delivered while the rows were read',
    reading: readingOf({ rows: [shopSighting, paySighting], databases: both, outbox: [entryOf('pending')] }),
    found: [],
  },
  {
    when: 'the database of a waiting project is there',
    reading: readingOf({ rows: [shopSighting], databases: both, outbox: [entryOf('pending')] }),
    found: [['pending', ['deliver'], []]],
  },
  { when: 'a config names the project', reading: readingOf({ configs: [config('shop', shopId)] }), found: [] },
  { when: 'a config has no id and a known name', reading: readingOf({ configs: [config('shop', null)] }), found: [] },
  {
    when: 'a config has the id and another free name',
    reading: readingOf({ configs: [config('store', shopId)] }),
    found: [],
  },
  {
    when: 'a config has a former id',
    reading: readingOf({ row: rowOf({ registrar: { formerIds: [oldId] } }), configs: [config('shop', oldId)] }),
    found: [],
  },
  {
    when: 'a config names a project of the outbox',
    reading: readingOf({ outbox: [entryOf('pending')], configs: [config('pay', payId)] }),
    found: [['pending', ['deliver'], []]],
  },
  {
    when: 'a config’s id is unknown and its name is a project',
    reading: readingOf({ configs: [config('shop', oldId)] }),
    found: [['id-conflict', [], ['use', 'edit-config']]],
    says: /config\.json says id 3f2e3d4c.*no project.*registrar use 1f2e3d4c-[-0-9]+ --directory \/w\/shop\)/,
  },
  {
    when: 'a config has the id of one project and the name of another',
    reading: readingOf({ rows: [shopSighting, paySighting], databases: both, configs: [config('pay', shopId)] }),
    found: [['name-conflict', [], ['use', 'use', 'edit-config']]],
    says: /has the id of project "shop" and the name of project 2f2e3d4c/,
  },
  {
    when: 'a config claims what nobody has',
    reading: readingOf({ configs: [config('pay', payId)] }),
    found: [['config-without-row', [], ['resolve', 'edit-config']]],
    says: /claims project "pay".*new, empty project.*registrar resolve --directory \/w\/shop\)/,
  },
  {
    when: 'a config claims a database that lost its row',
    reading: readingOf({ rows: [shopSighting], databases: both, configs: [config('pay', payId)] }),
    found: [
      ['config-without-row', [], ['adopt', 'edit-config']],
      ['orphan-database', [], ['adopt', 'leave']],
    ],
    says: /registrar projects adopt cb_proj_pay_2f2e3d4c/,
  },
  {
    when: 'a config claims, by id or by name, what was forgotten on purpose',
    reading: readingOf({
      databases: [
        ...both.slice(0, 1),
        database(payDatabase, markerOf({ projectId: payId, forgottenAt: now, name: 'pay' })),
      ],
      configs: [config('pay', payId), config('pay', null)],
    }),
    found: [],
  },
  {
    when: 'the recorded folder is gone from this machine',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'ready', folder: { host: 'here', path: '/w/shop' } } }),
      goneFolders: new Set(['/w/shop']),
    }),
    found: [['folder-gone', [], []]],
    says: /\/w\/shop, is gone from this machine/,
  },
  {
    when: 'the recorded folder is on another machine',
    reading: readingOf({
      row: rowOf({ registrar: { state: 'ready', folder: { host: 'there', path: '/w/shop' } } }),
      goneFolders: new Set(['/w/shop']),
    }),
    found: [],
  },
];

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function shapeOf({ finding: { kind, actions } }: Drifted): [DriftKind, string[], string[]] {
  const named = (isAutomatic: boolean) =>
    actions.filter(({ automatic }) => automatic === isAutomatic).map(({ action }) => action);
  return [kind, named(true), named(false)];
}

describe('the drift comparison', () => {
  for (const { when, reading, found, says } of cases) {
    it(`${found.length === 0 ? 'finds nothing' : `finds ${found.map(([kind]) => kind).join(' and ')}`} when ${when}`, () => {
      const drifted = compareDrift(reading);
      assert.deepEqual(drifted.map(shapeOf), found);
      const text = drifted
        .flatMap(({ finding }) => [finding.message, finding.risk, ...finding.actions.map((one) => one.description)])
        .join(' ');
      if (says) assert.match(text, says);
    });
  }

  it('finds every kind in some case', () => {
    const kinds = new Set(cases.flatMap(({ found }) => found.map(([kind]) => kind)));
    assert.deepEqual([...kinds].sort(), [...driftKinds].sort());
  });

  it('says in sentences what is wrong and what it risks, and what can be done about all but notes', () => {
    for (const { reading } of cases) {
      for (const { finding } of compareDrift(reading)) {
        for (const text of [finding.message, finding.risk]) assert.match(text, /^[A-Z/].*\.$/, text);
        if (!driftNotes.includes(finding.kind)) assert.ok(finding.actions.length > 0, finding.message);
        for (const { description } of finding.actions) assert.match(description, /\w/);
      }
    }
  });

  it('has one repair for each automatic action, in the same order', () => {
    for (const { reading } of cases) {
      for (const drifted of compareDrift(reading)) {
        assert.deepEqual(
          drifted.repairs.map(({ action }) => action),
          shapeOf(drifted)[1],
        );
      }
    }
  });

  it('answers the same, whatever order the places were read in', () => {
    const [orphan, marked] = [database('cb_proj_x_00000001', markerOf({ projectId: oldId, name: 'x' })), both];
    const rows = [{ ...shopSighting, database: { presence: 'present', comment: null } as const }, paySighting];
    const configs = [config('a', null), config('b', null)];
    const reading = readingOf({ rows, databases: [orphan, ...marked], configs });
    const reversed = {
      ...reading,
      rows: [...rows].reverse(),
      databases: [...marked, orphan].reverse(),
      configs: [...configs].reverse(),
    };
    const findings = compareDrift(reading).map(({ finding }) => finding);
    assert.equal(findings.length, 4);
    assert.deepEqual(
      compareDrift(reversed).map(({ finding }) => finding),
      findings,
    );
  });

  describe('over every state, presence, marker and number of copies', () => {
    const markers = {
      mine: markerOf(),
      none: null,
      other: markerOf({ projectId: payId, name: 'pay' }),
      forgotten: markerOf({ forgottenAt: now }),
    };
    const copies = ['cb_proj_copy_00000001', 'cb_proj_copy_00000002'];
    for (const state of ['ready', 'provisioning', 'dropping'] as const)
      for (const presence of ['present', 'absent', 'interrupted'] as const)
        for (const marker of ['mine', 'none', 'other', 'forgotten'] as const)
          for (const elsewhere of [0, 1, 2]) {
            // What is not there has no marker.
            if (presence === 'absent' && marker !== 'none') continue;
            it(`${state}, ${presence}, ${marker}, ${elsewhere} elsewhere`, () => {
              const own = presence === 'absent' ? [] : [database(shopDatabase, markers[marker], presence)];
              const others = copies.slice(0, elsewhere).map((name) => database(name, markerOf()));
              const drifted = compareDrift(
                readingOf({ row: rowOf({ registrar: { state } }), databases: [...own, ...others] }),
              );
              assert.deepEqual(
                drifted.map(({ finding }) => finding.kind),
                expected(state, presence, marker, elsewhere),
              );
              // Nothing automatic destroys data: only a drop that a person began is finished, or remains are removed.
              const automatic = drifted.flatMap(({ repairs }) => repairs.map(({ action }) => action));
              assert.equal(automatic.includes('finish-drop'), state === 'dropping');
              assert.equal(
                automatic.includes('remove-remains'),
                state === 'ready' && presence === 'interrupted' && marker !== 'other',
              );
            });
          }
  });
});

function expected(state: string, presence: string, marker: string, elsewhere: number): DriftKind[] {
  const copies = Array.from({ length: elsewhere }, (): DriftKind => 'id-conflict');
  if (state === 'dropping') return [...copies, 'interrupted-drop'];
  if (state === 'provisioning') return [...copies, 'interrupted-creation'];
  if (presence === 'interrupted' && marker !== 'other') return ['interrupted-drop'];
  if (marker === 'other') return ['marker-foreign'];
  if (marker === 'forgotten') return ['marker-forgotten'];
  if (presence === 'absent') {
    if (elsewhere === 0) return ['dangling-row'];
    return [elsewhere === 1 ? 'database-renamed' : 'id-conflict'];
  }
  if (elsewhere > 0) return ['id-conflict'];
  return marker === 'none' ? ['marker-missing'] : [];
}
