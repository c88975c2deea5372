import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RegistryRow } from '../../daemon/registry/model.ts';
import type { RowChange } from '../../daemon/registry/ports.ts';
import type { Ground } from './ground.ts';
import { commentOf, reserved, rowOf } from './reading.ts';

const folder = { host: 'here', path: '/work/shop' };

export function changesContract(ground: () => Ground): void {
  /** What the observer may have seen differently, beside the row that is there. */
  const misread: Record<string, (row: RegistryRow) => RegistryRow> = {
    id: (row) => ({ ...row, id: randomUUID() }),
    name: (row) => ({ ...row, name: `${row.name} before` }),
    'database name': (row) => ({ ...row, databaseName: `${row.databaseName.slice(0, -8)}00000000` }),
    state: (row) => ({ ...row, registrar: { ...row.registrar, state: 'ready' } }),
    folder: (row) => ({ ...row, registrar: { ...row.registrar, folder: { host: 'there', path: '/work/shop' } } }),
    'folder, which it had none of,': ({ registrar: { folder: _folder, ...registrar }, ...row }) => ({
      ...row,
      registrar,
    }),
  };
  for (const [what, seenBy] of Object.entries(misread)) {
    it(`is lost where the row has another ${what} than was observed`, async () => {
      const member = await ground().member();
      const row = await reserved(member, ground().newRow({ state: 'provisioning', folder }));
      assert.equal(await member.registry.change(seenBy(row), { description: 'new' }, null), 'lost');
      assert.equal((await rowOf(member, row.id))?.row.description, null);
      assert.equal(await member.registry.change(row, { description: 'new' }, null), 'done');
      assert.equal((await rowOf(member, row.id))?.row.description, 'new');
    });
  }

  it('takes a row that says no state for a ready one', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow({}));
    assert.equal(
      await member.registry.change({ ...row, registrar: { state: 'ready' } }, { description: 'x' }, null),
      'done',
    );
  });

  it('of the evidence is lost where others added to it since', async () => {
    const member = await ground().member();
    const row = await reserved(
      member,
      ground().newRow({ state: 'ready', evidence: { origins: [], folder: null, claims: [] } }),
    );
    const add = (origin: string): RowChange => ({
      registrar: { evidence: { origins: [{ origin, path: '' }], folder: null, claims: [] } },
    });
    assert.equal(await member.registry.change(row, add('example.com/one'), null), 'done');
    assert.equal(await member.registry.change(row, add('example.com/two'), null), 'lost');
    assert.equal(await member.registry.change(row, { registrar: { lastUsedAt: 'today' } }, null), 'done');
    const kept = (await rowOf(member, row.id))?.row.registrar;
    assert.deepEqual([kept?.evidence?.origins, kept?.lastUsedAt], [[{ origin: 'example.com/one', path: '' }], 'today']);
  });

  it('leaves what it does not name, and what others keep in the metadata', async () => {
    const member = await ground().member();
    const other = await ground().begin();
    const row = ground().newRow();
    const theirs = {
      theirs: { b: [1, null], aa: 'x' },
      registrar: { state: 'ready', newer: { z: 1 }, creator: 'ann' },
    };
    await other.insert(row, theirs);
    await other.commit();
    const seen = (await rowOf(member, row.id))?.row;
    assert.ok(seen);
    assert.equal(await member.registry.change(seen, { registrar: { creator: 'bob' } }, null), 'done');
    const now = (await rowOf(member, row.id))?.row;
    assert.deepEqual(now?.metadata, { ...theirs, registrar: { ...theirs.registrar, creator: 'bob' } });
    assert.equal(now.updatedAt, seen.updatedAt);
    assert.deepEqual(Object.keys(now.metadata.theirs), ['b', 'aa']);
  });

  const keys = ['id', 'name', 'databaseName'] as const;
  for (const key of keys) {
    it(`is taken where another row has its new ${key}, and done where nobody has it`, async () => {
      const member = await ground().member();
      const row = await reserved(member, ground().newRow());
      const other = await reserved(member, ground().newRow());
      const free = ground().newRow();
      assert.equal(await member.registry.change(row, { [key]: other[key] }, null), 'taken');
      assert.deepEqual((await rowOf(member, row.id))?.row, row);
      assert.equal(await member.registry.change(row, { [key]: free[key] }, null), 'done');
      const now = (await rowOf(member, key === 'id' ? free.id : row.id))?.row;
      assert.equal(now?.[key], free[key]);
    });
  }

  it('waits for another of the same row, and looks again at what that left', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const other = await ground().begin();
    await other.rename(row.id, `${row.name} renamed`);
    const changing = member.registry.change(row, { description: 'new' }, null);
    await ground().waiting(1);
    await other.commit();
    assert.equal(await changing, 'lost');
    const again = await ground().begin();
    await again.remove(row.id);
    const now = (await rowOf(member, row.id))?.row;
    assert.ok(now);
    const second = member.registry.change(now, { description: 'newer' }, null);
    await ground().waiting(1);
    await again.rollback();
    assert.equal(await second, 'done');
  });

  it('waits for a name that is not committed yet', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const [first, second] = [ground().newRow(), ground().newRow()];
    const one = await ground().begin();
    await one.insert(first);
    const taken = member.registry.change(row, { name: first.name }, null);
    await ground().waiting(1);
    await one.commit();
    assert.equal(await taken, 'taken');
    const other = await ground().begin();
    await other.insert(second);
    const free = member.registry.change(row, { name: second.name }, null);
    await ground().waiting(1);
    await other.rollback();
    assert.equal(await free, 'done');
  });

  it('writes the row first, then the comment, and commits both together', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const { databaseName } = row;
    await ground().makeDatabase(databaseName);
    member.take();
    const change = { registrar: { state: 'ready' } } as const;
    assert.equal(await member.registry.change(row, change, { databaseName, seen: null, comment: 'mine' }), 'done');
    assert.deepEqual(member.take(), ['change', 'comment', 'commit']);
    assert.deepEqual((await rowOf(member, row.id))?.database, { presence: 'present', comment: 'mine' });
    // A change that is lost says nothing to the database.
    assert.equal(
      await member.registry.change(row, change, { databaseName, seen: 'mine', comment: 'not mine' }),
      'lost',
    );
    assert.equal(await commentOf(member, row), 'mine');
    assert.ok(!member.take().includes('comment'));
  });

  it('is taken back where the database is gone, and lost', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const change = { registrar: { state: 'ready' } } as const;
    const comment = { databaseName: row.databaseName, seen: null, comment: 'mine' };
    assert.equal(await member.registry.change(row, change, comment), 'lost');
    assert.equal((await rowOf(member, row.id))?.row.registrar.state, 'provisioning');
  });

  it('is taken back where the database has another comment by then than was seen, and lost', async () => {
    const member = await ground().member();
    const change = { registrar: { state: 'ready' } } as const;
    for (const comes of ['before', 'while it waits'] as const) {
      const row = await reserved(member, ground().newRow());
      const { databaseName } = row;
      await ground().makeDatabase(databaseName);
      const other = await ground().begin();
      await other.comment(databaseName, 'theirs');
      if (comes === 'before') await other.commit();
      const changing = member.registry.change(row, change, { databaseName, seen: null, comment: 'mine' });
      if (comes !== 'before') {
        await ground().waiting(1);
        await other.commit();
      }
      assert.equal(await changing, 'lost');
      const now = await rowOf(member, row.id);
      assert.deepEqual([now?.row.registrar.state, now?.database.comment], ['provisioning', 'theirs']);
      const inserted = { ...ground().newRow(), databaseName: `${databaseName}_2` };
      await ground().makeDatabase(inserted.databaseName, { comment: 'theirs' });
      const insert = { databaseName: inserted.databaseName, seen: null, comment: 'mine' };
      assert.equal(await member.registry.insert(inserted, insert), 'lost');
      assert.equal(await rowOf(member, inserted.id), null);
    }
  });

  it('is taken back where the role may not write the comment', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const { databaseName } = row;
    await ground().makeDatabase(databaseName, { owner: await ground().stranger() });
    const change = { registrar: { state: 'ready' } } as const;
    await assert.rejects(member.registry.change(row, change, { databaseName, seen: null, comment: 'mine' }), {
      code: 'REGISTRY_FORBIDDEN',
    });
    assert.equal((await rowOf(member, row.id))?.row.registrar.state, 'provisioning');
    assert.equal(await commentOf(member, row), null);
  });

  for (const [statement, when, isDone] of [
    ['comment', 'before', false],
    ['comment', 'after', false],
    ['commit', 'before', false],
    ['commit', 'after', true],
  ] as const) {
    const end = isDone ? 'is done all the same, row and comment' : 'leaves row and comment as they were';
    it(`whose connection breaks ${when} its ${statement} ${end}`, async () => {
      const member = await ground().member();
      const row = await reserved(member, ground().newRow());
      const { databaseName } = row;
      await ground().makeDatabase(databaseName);
      member.breakAt(statement, when);
      const change = { registrar: { state: 'ready' } } as const;
      await assert.rejects(member.registry.change(row, change, { databaseName, seen: null, comment: 'mine' }), {
        code: 'REGISTRY_UNREACHABLE',
      });
      // Whoever looks waits for no lock that is left, and sees the end.
      assert.equal(await member.registry.change(row, {}, null), isDone ? 'lost' : 'done');
      const now = await rowOf(member, row.id);
      assert.deepEqual(
        [now?.row.registrar.state, now?.database.comment],
        isDone ? ['ready', 'mine'] : ['provisioning', null],
      );
    });
  }

  it('of one of two that wait for each other is lost, and nobody waits for ever', async function () {
    this.timeout(60_000);
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const { databaseName } = row;
    await ground().makeDatabase(databaseName);
    const other = await ground().begin();
    await other.comment(databaseName, 'theirs');
    const changing = member.registry.change(
      row,
      { description: 'ours' },
      { databaseName, seen: null, comment: 'ours' },
    );
    await ground().waiting(1);
    const theirs = await other.touch(row.id).then(
      () => 'done',
      () => 'lost',
    );
    await (theirs === 'done' ? other.commit() : other.rollback());
    assert.deepEqual([theirs, await changing].sort(), ['done', 'lost']);
    assert.equal(await commentOf(member, row), theirs === 'done' ? 'theirs' : 'ours');
  });

  it('that inserts a row says in whose way it is, and comes with its comment', async () => {
    const member = await ground().member();
    const row = ground().newRow({ state: 'ready' });
    const comment = { databaseName: row.databaseName, seen: null, comment: 'mine' };
    assert.equal(await member.registry.insert(row, comment), 'lost', 'there is no database to mark');
    assert.equal(await rowOf(member, row.id), null);
    await ground().makeDatabase(row.databaseName);
    member.take();
    assert.equal(await member.registry.insert(row, comment), 'done');
    assert.deepEqual(member.take(), ['insert', 'comment', 'commit']);
    assert.equal((await rowOf(member, row.id))?.database.comment, 'mine');
    for (const key of keys) {
      const second = { ...ground().newRow(), [key]: row[key] };
      assert.equal(await member.registry.insert(second, { ...comment, comment: 'not mine' }), 'taken');
    }
    assert.equal(await commentOf(member, row), 'mine');
  });

  it('that removes a row asks for all that was observed but the folder, and comes with its comment', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow({ state: 'ready', folder }));
    const { databaseName } = row;
    await ground().makeDatabase(databaseName);
    const comment = { databaseName, seen: null, comment: 'forgotten' };
    assert.equal(await member.registry.remove({ ...row, name: 'other' }, comment), 'lost');
    assert.equal(await member.registry.remove({ ...row, registrar: { state: 'dropping' } }, comment), 'lost');
    assert.equal(await commentOf(member, row), null);
    member.take();
    assert.equal(await member.registry.remove({ ...row, registrar: { state: 'ready' } }, comment), 'done');
    assert.deepEqual(member.take(), ['remove', 'comment', 'commit']);
    assert.equal(await rowOf(member, row.id), null);
    assert.equal(await commentOf(member, row), 'forgotten');
    assert.equal(await member.registry.remove(row, null), 'lost');
  });
}
