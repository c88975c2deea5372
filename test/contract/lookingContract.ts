import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Ground } from './ground.ts';
import { reserved, rowOf } from './reading.ts';

export function lookingContract(ground: () => Ground): void {
  it('finds a row by its id or its name, with its database and what that says', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const absent = { presence: 'absent', comment: null };
    assert.deepEqual((await rowOf(member, row.id))?.database, absent);
    await ground().makeDatabase(row.databaseName, { comment: 'a note' });
    const looked = await member.registry.look({ id: null, name: row.name }, true);
    assert.deepEqual(looked, {
      kind: 'seen',
      sightings: [{ row, database: { presence: 'present', comment: 'a note' }, sync: { state: 'synced' } }],
    });
    await ground().interruptDrop(row.databaseName);
    assert.equal((await rowOf(member, row.id))?.database.presence, 'interrupted');
  });

  it('finds two rows where id and name are of two', async () => {
    const member = await ground().member();
    const one = await reserved(member, ground().newRow());
    const other = await reserved(member, ground().newRow());
    const looked = await member.registry.look({ id: one.id, name: other.name }, true);
    assert.ok(looked.kind === 'seen');
    assert.deepEqual(looked.sightings.map(({ row }) => row.id).sort(), [one.id, other.id].sort());
  });

  it('sees nothing of what is not committed, and does not wait for it', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const other = await ground().begin();
    await other.rename(row.id, `${row.name} renamed`);
    const added = ground().newRow();
    await other.insert(added);
    assert.equal((await rowOf(member, row.id))?.row.name, row.name);
    assert.equal(await rowOf(member, added.id), null);
    await other.commit();
    assert.equal((await rowOf(member, row.id))?.row.name, `${row.name} renamed`);
    assert.equal((await rowOf(member, added.id))?.row.name, added.name);
  });

  it('is asked again where its connection was lost', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    member.breakAt('look', 'after');
    assert.equal((await rowOf(member, row.id))?.row.id, row.id);
    member.breakAt('look', 'before');
    assert.equal((await rowOf(member, row.id))?.row.id, row.id);
  });

  it('reads a row without metadata, as codebase-mcp writes it, as one that keeps nothing', async () => {
    const member = await ground().member();
    const row = ground().newRow();
    const other = await ground().begin();
    await other.insert(row, null);
    await other.commit();
    assert.deepEqual((await rowOf(member, row.id))?.row.registrar, {});
    assert.deepEqual((await rowOf(member, row.id))?.row.metadata, {});
  });

  it('says why the table cannot be read, and what a role may not write', async () => {
    const reader = await ground().member({ lacks: ['select', 'insert'] });
    const looked = await reader.registry.look({ id: null, name: 'shop' }, true);
    assert.ok(looked.kind === 'unreadable');
    assert.equal(looked.failure.code, 'REGISTRY_FORBIDDEN');
    assert.equal(looked.failure.details?.['privilege'], 'SELECT on projects');
    await assert.rejects(reader.registry.lookIds([randomUUID()]), { code: 'REGISTRY_FORBIDDEN' });
    const writer = await ground().member({ lacks: ['select'] });
    assert.equal((await writer.registry.reserve(ground().newRow())).kind, 'unwritable');
    const [delivery] = await writer.deliver([ground().newRow()]);
    assert.ok(delivery?.kind === 'failed');
    assert.match(delivery.error.message, /SELECT on projects is missing/);
    const noted = await ground().member({ lacks: ['update'] });
    const row = await reserved(noted, ground().newRow());
    await assert.rejects(noted.registry.change(row, { description: 'new' }, null), { code: 'REGISTRY_FORBIDDEN' });
    await assert.rejects(
      noted.registry.whileHeld(row, () => Promise.resolve('keep')),
      { code: 'REGISTRY_FORBIDDEN' },
    );
    const keeper = await ground().member({ lacks: ['delete'] });
    await assert.rejects(keeper.registry.remove(row, null), { code: 'REGISTRY_FORBIDDEN' });
    assert.ok(await rowOf(keeper, row.id));
  });

  it('finds rows by a former id, by the beginning of an id, by their database, and by several ids', async () => {
    const member = await ground().member();
    const former = randomUUID();
    const one = await reserved(member, ground().newRow({ state: 'ready', formerIds: [former] }));
    const other = await reserved(member, ground().newRow());
    assert.equal((await member.registry.lookFormerId(former))?.row.id, one.id);
    assert.equal(await member.registry.lookFormerId(one.id), null);
    const short = await member.registry.lookIdPrefix(one.id.slice(0, 8));
    assert.deepEqual(
      short.map(({ row }) => row.id),
      [one.id],
    );
    assert.equal((await member.registry.lookDatabaseOwner(other.databaseName))?.row.id, other.id);
    assert.equal(await member.registry.lookDatabaseOwner('cb_proj_nobodys_00000000'), null);
    const both = await member.registry.lookIds([other.id, randomUUID(), one.id]);
    assert.deepEqual(both.map(({ row }) => row.id).sort(), [one.id, other.id].sort());
  });

  it('lists rows by name, those after one, whose name contains a text in whatever case', async () => {
    const member = await ground().member();
    const rows = [];
    for (const name of ['list b', 'list a', 'list c'])
      rows.push(await reserved(member, { ...ground().newRow(), name }));
    const names = async (after: string | null, limit: number): Promise<string[]> =>
      (await member.registry.list({ query: 'LIST', after, limit })).map(({ row }) => row.name);
    assert.deepEqual(await names(null, 10), ['list a', 'list b', 'list c']);
    assert.deepEqual(await names('list a', 10), ['list b', 'list c']);
    assert.deepEqual(await names(null, 2), ['list a', 'list b']);
  });

  it('tells who made, adopted and dropped projects, the newest first, and nothing else', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    await member.registry.change(row, { name: `${row.name} new` }, null);
    const renamed = { ...row, name: `${row.name} new` };
    await member.registry.remove(renamed, null);
    await ground().makeDatabase(row.databaseName);
    await member.registry.insert(renamed, { databaseName: row.databaseName, seen: null, comment: 'adopted' });
    await member.registry.whileHeld(renamed, () => Promise.resolve('delete'));
    const events = await member.registry.lookEvents({ id: row.id, name: null });
    assert.deepEqual(
      events.map(({ operation, name, by, actor }) => ({ operation, name, by, actor })),
      ['dropped', 'adopted', 'created'].map((operation) => ({
        operation,
        name: operation === 'created' ? row.name : renamed.name,
        by: events[0]?.by,
        actor: member.role,
      })),
    );
    assert.deepEqual(events[0]?.registrar, row.registrar);
    const byName = await member.registry.lookEvents({ id: null, name: row.name });
    assert.deepEqual(
      byName.map(({ operation }) => operation),
      ['created'],
    );
  });

  it('sees rows and databases at one instant where all of them are read', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    await ground().makeDatabase(row.databaseName, { comment: markedAs(row.name) });
    const orphan = ground().newRow();
    await ground().makeDatabase(orphan.databaseName);
    const stranger = await ground().stranger();
    const planted = ground().newRow();
    await ground().makeDatabase(planted.databaseName, { owner: stranger });
    const { rows, databases } = await member.readRegistry();
    const found = rows.find((sighting) => sighting.row.id === row.id);
    assert.deepEqual(found?.database, { presence: 'present', comment: markedAs(row.name) });
    const named = (databaseName: string): unknown => databases.find((one) => one.databaseName === databaseName);
    const seen = { presence: 'present', comment: null } as const;
    const { databaseName } = orphan;
    const own = (await member.catalog.lookDatabase(databaseName)).owner;
    assert.deepEqual(named(databaseName), { databaseName, ...seen, owner: own, isOwnerBelieved: true });
    assert.deepEqual(named(planted.databaseName), {
      ...{ databaseName: planted.databaseName, ...seen, owner: stranger },
      isOwnerBelieved: false,
    });
  });
}

function markedAs(name: string): string {
  return JSON.stringify({ registrar: { name } });
}
