import assert from 'node:assert/strict';
import type { DatabaseSighting } from '../../daemon/registry/model.ts';
import type { Ground } from './ground.ts';
import { commentOf, reserved, rowOf } from './reading.ts';

export function heldContract(ground: () => Ground): void {
  it('is not changed or removed by anybody until it is let go', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const row = await reserved(one, ground().newRow());
    let changing: Promise<string> | undefined;
    const held = await one.registry.whileHeld(row, async () => {
      changing = other.registry.change(row, { name: `${row.name} renamed` }, null);
      await ground().waiting(1);
      assert.deepEqual((await rowOf(one, row.id))?.row, row);
      return 'keep';
    });
    assert.equal(held, 'done');
    assert.equal(await changing, 'done');
    assert.equal(await one.registry.whileHeld(row, () => assert.fail('it is another row by now')), 'lost');
  });

  it('may be deleted by who holds it, and whoever waited finds nothing', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const row = await reserved(one, ground().newRow());
    let removing: Promise<string> | undefined;
    one.take();
    const held = await one.registry.whileHeld(row, async () => {
      removing = other.registry.remove(row, null);
      await ground().waiting(1);
      return 'delete';
    });
    assert.deepEqual([held, await removing], ['done', 'lost']);
    assert.deepEqual(one.take(), ['hold', 'delete', 'commit']);
    assert.equal(await rowOf(one, row.id), null);
  });

  it('is shown with its database as that is once the lock was there, not as it was before', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    await ground().makeDatabase(row.databaseName, { comment: 'before' });
    const other = await ground().begin();
    await other.touch(row.id);
    await other.comment(row.databaseName, 'after');
    let seen: DatabaseSighting | undefined;
    const holding = member.registry.whileHeld(row, async (database) => {
      seen = database;
      return 'keep';
    });
    await ground().waiting(1);
    await other.commit();
    assert.equal(await holding, 'done');
    assert.deepEqual(seen, { presence: 'present', comment: 'after' });
  });

  it('is lost where it became another while the lock was waited for', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const other = await ground().begin();
    await other.rename(row.id, `${row.name} renamed`);
    const holding = member.registry.whileHeld(row, () => assert.fail('it is another row by now'));
    await ground().waiting(1);
    await other.commit();
    assert.equal(await holding, 'lost');
  });

  it('stays as it was where the work throws, or says that it lost', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const fault = new Error('broken');
    await assert.rejects(
      member.registry.whileHeld(row, () => Promise.reject(fault)),
      fault,
    );
    assert.equal(await member.registry.whileHeld(row, () => Promise.resolve('lost')), 'lost');
    assert.deepEqual((await rowOf(member, row.id))?.row, row);
    assert.equal(await member.registry.change(row, { description: 'free' }, null), 'done');
  });

  it('is kept where the connection breaks before the commit, and gone where only the reply is lost', async () => {
    for (const when of ['before', 'after'] as const) {
      const member = await ground().member();
      const row = await reserved(member, ground().newRow());
      member.breakAt('commit', when);
      const held = member.registry.whileHeld(row, () => Promise.resolve('delete'));
      await assert.rejects(held, { code: 'REGISTRY_UNREACHABLE' });
      assert.equal(await member.registry.change(row, {}, null), when === 'before' ? 'done' : 'lost');
      assert.equal((await rowOf(member, row.id)) === null, when === 'after');
    }
  });

  it('lets who holds it mark its database, which nobody who wants the row does meanwhile', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const row = await reserved(one, ground().newRow());
    const { databaseName } = row;
    await ground().makeDatabase(databaseName);
    let changing: Promise<string> | undefined;
    await one.registry.whileHeld(row, async () => {
      changing = other.registry.change(row, { description: 'new' }, { databaseName, seen: null, comment: 'theirs' });
      await ground().waiting(1);
      assert.equal(await one.catalog.comment({ databaseName, seen: null, comment: 'ours' }), 'done');
      assert.equal(await commentOf(other, row), 'ours');
      return 'keep';
    });
    assert.equal(await changing, 'lost');
    assert.equal(await commentOf(one, row), 'ours');
  });

  it('lets who holds it drop its database; whoever wanted to mark that finds it gone', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const row = await reserved(one, ground().newRow());
    const { databaseName } = row;
    await ground().makeDatabase(databaseName);
    let changing: Promise<string> | undefined;
    await one.registry.whileHeld(row, async () => {
      changing = other.registry.change(row, { description: 'new' }, { databaseName, seen: null, comment: 'theirs' });
      await ground().waiting(1);
      await one.catalog.dropDatabase(databaseName, () => true);
      return 'keep';
    });
    assert.equal(await changing, 'lost');
    const now = await rowOf(one, row.id);
    assert.deepEqual([now?.database.presence, now?.row.description], ['absent', null]);
  });
}
