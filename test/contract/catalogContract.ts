import assert from 'node:assert/strict';
import type { Ground } from './ground.ts';
import { markerFor } from './reading.ts';

/** A drop that is meant for whatever has the name. */
const anybody = (): boolean => true;

export function catalogContract(ground: () => Ground): void {
  const newName = (): string => ground().newRow().databaseName;

  it('is made once, however many make it, and belongs to who made it', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const name = newName();
    assert.deepEqual(await one.catalog.lookDatabase(name), {
      ...{ presence: 'absent', comment: null, owner: null },
      isOwnerBelieved: false,
    });
    const made = await Promise.all([one, other, one].map(({ catalog }) => catalog.createDatabase(name)));
    assert.deepEqual(made.sort(), ['created', 'exists', 'exists']);
    assert.deepEqual(await other.catalog.lookDatabase(name), {
      ...{ presence: 'present', comment: null, owner: one.role },
      isOwnerBelieved: true,
    });
    assert.equal(await one.catalog.hasUserRelations(name), false);
    assert.ok(one.take().includes('create'));
  });

  it('is there where the reply to its making was lost, and is not where the connection broke before', async () => {
    for (const when of ['before', 'after'] as const) {
      const member = await ground().member();
      const name = newName();
      member.breakAt('create', when);
      await assert.rejects(member.catalog.createDatabase(name), { code: 'REGISTRY_UNREACHABLE' });
      // The server goes on with what it was told, whoever is still there to hear of it.
      const again = await member.catalog.createDatabase(name);
      assert.equal(again, when === 'before' ? 'created' : 'exists');
      assert.equal((await member.catalog.lookDatabase(name)).presence, 'present');
    }
  });

  it('is made although somebody is connected to the template (55006)', async function () {
    this.timeout(60_000);
    const member = await ground().member();
    const visitor = await ground().connect('template1');
    assert.equal(await member.catalog.createDatabase(newName()), 'created');
    await visitor.close();
  });

  it('is not made by a role that may not, which is said before', async () => {
    const member = await ground().member({ lacks: ['createdb'] });
    const { role, owner, mayCreateDatabases, readOnly } = await member.catalog.abilities();
    assert.deepEqual([role, owner, mayCreateDatabases, readOnly], [member.role, member.role, false, false]);
    await assert.rejects(member.catalog.createDatabase(newName()), (error: { code: string; details?: object }) => {
      assert.equal(error.code, 'PROVISION_FAILED');
      assert.equal((error.details as { sqlState?: string }).sqlState, '42501');
      return true;
    });
  });

  it('is believed by its owner: this role, one it is a member of, a superuser, the configured one; no other', async () => {
    const stranger = await ground().stranger();
    const [member, relative, configured] = [
      await ground().member(),
      await ground().member({ memberOf: stranger }),
      await ground().member({ ownerRole: stranger }),
    ];
    const name = newName();
    await ground().makeDatabase(name, { owner: stranger });
    const believed = async (of: typeof member): Promise<boolean> =>
      (await of.catalog.lookDatabase(name)).isOwnerBelieved;
    assert.deepEqual(
      [await believed(member), await believed(relative), await believed(configured)],
      [false, true, true],
    );
    assert.equal((await configured.catalog.abilities()).owner, stranger);
    const theirs = newName();
    await ground().makeDatabase(theirs, { owner: ground().superuser });
    assert.equal((await member.catalog.lookDatabase(theirs)).isOwnerBelieved, true);
    const registrys = newName();
    await ground().makeDatabase(registrys, { owner: member.role });
    assert.equal((await relative.catalog.lookDatabase(registrys)).isOwnerBelieved, true, 'the owner of the table');
  });

  it('is found by the id or the name in its marker, where the registry is this one and its owner is believed', async () => {
    const member = await ground().member();
    const stranger = await ground().stranger();
    const row = ground().newRow();
    const mark = async (comment: string, owner?: string): Promise<string> => {
      const name = newName();
      await ground().makeDatabase(name, { comment, ...(owner === undefined ? {} : { owner }) });
      return name;
    };
    const live = await mark(markerFor(member, row));
    const forgotten = await mark(markerFor(member, row, { forgottenAt: row.createdAt }));
    const planted = await mark(markerFor(member, row), stranger);
    await mark(markerFor(member, row, { registry: 'another' }));
    await mark(markerFor(member, ground().newRow()));
    const interrupted = await mark(markerFor(member, row));
    await ground().interruptDrop(interrupted);
    const names = async (keys: { id: string | null; name: string | null }, madeAs?: string): Promise<string[]> => {
      const forRow = madeAs === undefined ? undefined : { ...row, registrar: { madeAs } };
      return (await member.catalog.findMarked(keys, forRow)).map(({ databaseName }) => databaseName).sort();
    };
    assert.deepEqual(await names({ id: row.id, name: null }), [live, forgotten].sort());
    assert.deepEqual(await names({ id: null, name: row.name }), [live, forgotten].sort());
    assert.deepEqual(await names({ id: row.id, name: null }, stranger), [live, forgotten, planted].sort());
  });

  it('is marked by its owner alone, and says that it is gone', async () => {
    const member = await ground().member();
    const [own, theirs] = [newName(), newName()];
    await ground().makeDatabase(own, { comment: 'before' });
    await ground().makeDatabase(theirs, { owner: await ground().stranger(), comment: 'theirs' });
    const comment = 'it\'s "mine" \\ now';
    assert.equal(await member.catalog.comment({ databaseName: own, seen: 'before', comment }), 'done');
    assert.equal((await member.catalog.lookDatabase(own)).comment, comment);
    assert.equal(await member.catalog.comment({ databaseName: theirs, seen: 'theirs', comment }), 'forbidden');
    assert.equal((await member.catalog.lookDatabase(theirs)).comment, 'theirs');
    assert.equal(await member.catalog.comment({ databaseName: newName(), seen: null, comment }), 'lost');
  });

  it('is marked by one after the other, over what was seen and nothing else', async () => {
    const member = await ground().member();
    const name = newName();
    await ground().makeDatabase(name);
    const other = await ground().begin();
    await other.comment(name, 'theirs');
    const commenting = member.catalog.comment({ databaseName: name, seen: null, comment: 'ours' });
    await ground().waiting(1);
    assert.equal((await member.catalog.lookDatabase(name)).comment, null);
    await other.commit();
    assert.equal(await commenting, 'lost');
    assert.equal((await member.catalog.lookDatabase(name)).comment, 'theirs');
    assert.equal(await member.catalog.comment({ databaseName: name, seen: 'theirs', comment: 'ours' }), 'done');
    assert.equal((await member.catalog.lookDatabase(name)).comment, 'ours');
    // Whoever did not hear that it was done may ask again.
    assert.equal(await member.catalog.comment({ databaseName: name, seen: 'theirs', comment: 'ours' }), 'done');
  });

  it('is dropped with every session in it, and dropping what is gone does nothing', async () => {
    const member = await ground().member();
    const name = newName();
    await ground().makeDatabase(name, { hasTable: true });
    assert.equal(await member.catalog.hasUserRelations(name), true);
    const visitor = await ground().connect(name, member.role);
    assert.equal(await visitor.isOpen(), true);
    assert.equal(await member.catalog.dropObstacle(name), null);
    await member.catalog.dropDatabase(name, anybody);
    assert.equal(await visitor.isOpen(), false);
    await visitor.close();
    await member.catalog.dropDatabase(name, anybody);
    assert.equal((await member.catalog.lookDatabase(name)).presence, 'absent');
    assert.equal(await member.catalog.dropObstacle(name), null);
  });

  it('is dropped once nobody is marking it any more', async () => {
    const member = await ground().member();
    const name = newName();
    await ground().makeDatabase(name);
    const other = await ground().begin();
    await other.comment(name, 'theirs');
    const dropping = member.catalog.dropDatabase(name, anybody);
    await ground().waiting(1);
    await other.commit();
    await dropping;
    assert.equal((await member.catalog.lookDatabase(name)).presence, 'absent');
  });

  it('is not dropped by a role that does not own it', async () => {
    const member = await ground().member();
    const name = newName();
    await ground().makeDatabase(name, { owner: await ground().stranger() });
    await assert.rejects(member.catalog.dropDatabase(name, anybody), { code: 'PROVISION_FAILED' });
    assert.equal((await member.catalog.lookDatabase(name)).presence, 'present');
  });

  it('says before it is dropped that a session in it is none that this role may end', async () => {
    const member = await ground().member();
    const stranger = await ground().stranger();
    const name = newName();
    await ground().makeDatabase(name);
    const visitor = await ground().connect(name, stranger);
    const obstacle = await member.catalog.dropObstacle(name);
    assert.match(obstacle?.what ?? '', new RegExp(stranger));
    await visitor.close();
  });

  it('whose DROP was cut short is removed, and no other is', async () => {
    const member = await ground().member();
    const [remains, whole] = [newName(), newName()];
    for (const name of [remains, whole]) await ground().makeDatabase(name);
    await ground().interruptDrop(remains);
    assert.equal((await member.catalog.lookDatabase(remains)).presence, 'interrupted');
    for (const name of [remains, whole, newName()]) await member.catalog.finishDrop(name);
    assert.equal((await member.catalog.lookDatabase(remains)).presence, 'absent');
    assert.equal((await member.catalog.lookDatabase(whole)).presence, 'present');
  });

  it('that was made anew while a drop waited for another one stays, as does one that is not meant', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    for (const end of ['dropDatabase', 'finishDrop'] as const) {
      const name = newName();
      await ground().makeDatabase(name, { comment: 'the first' });
      if (end === 'finishDrop') await ground().interruptDrop(name);
      const isFirst = (comment: string | null): boolean => comment === 'the first';
      let dropping: Promise<void> | undefined;
      await one.catalog.oneAtATime(`drop of ${name}`, async () => {
        dropping = other.catalog[end](name, isFirst);
        await ground().waiting(1);
        await ground().dropDatabase(name);
        await ground().makeDatabase(name, { comment: 'the second' });
      });
      await dropping;
      const seen = await one.catalog.lookDatabase(name);
      assert.equal(seen.comment, 'the second', end);
    }
  });

  it('gets the project’s schema once, whoever brings it, together with the marker', async () => {
    const schema = 'create table items (id int)';
    const [one, other] = [
      await ground().member({ projectSchema: schema }),
      await ground().member({ projectSchema: schema }),
    ];
    const row = ground().newRow();
    const { databaseName } = row;
    await one.catalog.createDatabase(databaseName);
    const known = await one.catalog.projectSchema();
    assert.ok(known);
    const comment = markerFor(one, row, { schemaVersion: known.version });
    const apply = ({ catalog }: typeof one): Promise<string> =>
      catalog.applySchema(known, { databaseName, seen: null, comment }, row);
    assert.deepEqual(await Promise.all([apply(one), apply(other), apply(one)]), ['done', 'done', 'done']);
    const seen = await one.catalog.lookDatabase(databaseName);
    assert.equal(seen.comment, comment);
    assert.equal(await one.catalog.hasUserRelations(databaseName), true);
  });

  it('gets no schema where somebody marked it meanwhile', async () => {
    const member = await ground().member({ projectSchema: 'create table items (id int)' });
    const row = ground().newRow();
    const { databaseName } = row;
    await member.catalog.createDatabase(databaseName);
    const known = await member.catalog.projectSchema();
    assert.ok(known);
    const change = { databaseName, seen: null, comment: markerFor(member, row, { schemaVersion: known.version }) };
    const other = await ground().begin();
    await other.comment(databaseName, 'theirs');
    const applying = member.catalog.applySchema(known, change, row);
    await ground().waiting(1);
    await other.commit();
    assert.equal(await applying, 'lost');
    assert.equal((await member.catalog.lookDatabase(databaseName)).comment, 'theirs');
    assert.equal(await member.catalog.hasUserRelations(databaseName), false);
  });

  it('keeps nothing of a schema that fails, and no marker', async () => {
    const schema = 'fail';
    const member = await ground().member({ projectSchema: schema });
    const row = ground().newRow();
    const { databaseName } = row;
    await member.catalog.createDatabase(databaseName);
    const known = await member.catalog.projectSchema();
    assert.ok(known);
    const comment = markerFor(member, row, { schemaVersion: known.version });
    await assert.rejects(member.catalog.applySchema(known, { databaseName, seen: null, comment }, row), {
      code: 'PROVISION_FAILED',
    });
    assert.equal((await member.catalog.lookDatabase(databaseName)).comment, null);
    assert.equal(await member.catalog.hasUserRelations(databaseName), false);
  });

  it('of a stranger gets no schema', async () => {
    const member = await ground().member({ projectSchema: 'create table items (id int)' });
    const row = ground().newRow();
    const { databaseName } = row;
    await ground().makeDatabase(databaseName, { owner: await ground().stranger() });
    const known = await member.catalog.projectSchema();
    assert.ok(known);
    const change = { databaseName, seen: null, comment: markerFor(member, row) };
    await assert.rejects(member.catalog.applySchema(known, change, row), { code: 'DATABASE_FOREIGN' });
  });

  it('that is gone, or whose DROP was cut short, has no relations to ask for, which is said', async () => {
    const member = await ground().member();
    const name = newName();
    await assert.rejects(member.catalog.hasUserRelations(name), { code: 'DATABASE_MISSING' });
    await ground().makeDatabase(name);
    await ground().interruptDrop(name);
    await assert.rejects(member.catalog.hasUserRelations(name), { code: 'REGISTRY_FORBIDDEN' });
  });

  it('is the business of one at a time where that was asked for, and of the next once it ended', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const name = newName();
    const order: string[] = [];
    let second: Promise<void> | undefined;
    await one.catalog.oneAtATime(name, async () => {
      second = other.catalog.oneAtATime(name, async () => {
        order.push('second');
      });
      await other.catalog.oneAtATime(`${name} beside`, async () => {
        order.push('beside');
      });
      await ground().waiting(1);
      order.push('first');
    });
    await second;
    assert.deepEqual(order, ['beside', 'first', 'second']);
    await assert.rejects(
      one.catalog.oneAtATime(name, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(await other.catalog.oneAtATime(name, () => Promise.resolve('free')), 'free');
  });
}
