import assert from 'node:assert/strict';
import type { RegistryRow } from '../../daemon/registry/model.ts';
import type { Ground } from './ground.ts';
import { reserved, rowOf } from './reading.ts';

export function reservationContract(ground: () => Ground): void {
  it('is there for everybody as soon as it is answered', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const folder = { host: 'here', path: '/work/shop' };
    const row = ground().newRow({ state: 'provisioning', folder, creator: 'ann@here' });
    assert.deepEqual(await one.registry.reserve(row), { kind: 'reserved' });
    const seen = (await rowOf(other, row.id))?.row;
    assert.deepEqual(seen, { ...row, metadata: { registrar: row.registrar } });
    assert.deepEqual(one.take(), ['reserve']);
  });

  it('loses to a row with its id or its name, and says where only its database is another row’s', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const other = ground().newRow();
    assert.deepEqual(await member.registry.reserve({ ...other, id: row.id }), { kind: 'lost' });
    assert.deepEqual(await member.registry.reserve({ ...other, name: row.name }), { kind: 'lost' });
    const { databaseName } = row;
    assert.deepEqual(await member.registry.reserve({ ...other, databaseName }), { kind: 'database-taken' });
    assert.deepEqual(await member.registry.reserve({ ...other, databaseName, name: row.name }), { kind: 'lost' });
    assert.equal(await rowOf(member, other.id), null);
  });

  it('is won by one of many that come together', async () => {
    const members = await Promise.all(Array.from({ length: 4 }, () => ground().member()));
    const { name } = ground().newRow();
    const rows = members.flatMap(() => [
      { ...ground().newRow(), name },
      { ...ground().newRow(), name },
    ]);
    const outcomes = await Promise.all(
      rows.map(async (row, index) => members[index % members.length]?.registry.reserve(row)),
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.kind).sort(),
      ['reserved', ...Array<string>(7).fill('lost')].sort(),
    );
  });

  const inTheWay = ['id', 'name', 'databaseName'] as const;
  for (const key of inTheWay) {
    it(`waits for a row with its ${key} that is not committed, and wins when that is rolled back`, async () => {
      const member = await ground().member();
      const row = ground().newRow();
      const other = await ground().begin();
      await other.insert({ ...ground().newRow(), [key]: row[key] });
      const reserving = member.registry.reserve(row);
      await ground().waiting(1);
      await other.rollback();
      assert.deepEqual(await reserving, { kind: 'reserved' });
    });

    it(`waits for a row with its ${key} that is not committed, and loses when that is committed`, async () => {
      const member = await ground().member();
      const row = ground().newRow();
      const other = await ground().begin();
      await other.insert({ ...ground().newRow(), [key]: row[key] });
      const reserving = member.registry.reserve(row);
      await ground().waiting(1);
      await other.commit();
      assert.deepEqual(await reserving, { kind: key === 'databaseName' ? 'database-taken' : 'lost' });
    });
  }

  /** What another transaction is doing to a row that has the name, and what becomes of the reservation then. */
  const doings = {
    'is being deleted': { committed: 'reserved', rolledBack: 'lost' },
    'is being given another name': { committed: 'reserved', rolledBack: 'lost' },
    'is being written': { committed: 'lost', rolledBack: 'lost' },
  } as const;
  for (const [doing, outcomes] of Object.entries(doings)) {
    for (const [end, kind] of Object.entries(outcomes)) {
      it(`waits for a row with its name that ${doing}, and is ${kind} when that is ${end}`, async () => {
        const member = await ground().member();
        const row = await reserved(member, ground().newRow());
        const other = await ground().begin();
        if (doing === 'is being deleted') await other.remove(row.id);
        else if (doing === 'is being written') await other.touch(row.id);
        else await other.rename(row.id, `${row.name} renamed`);
        const reserving = member.registry.reserve({ ...ground().newRow(), name: row.name });
        await ground().waiting(1);
        await (end === 'committed' ? other.commit() : other.rollback());
        assert.deepEqual(await reserving, { kind });
      });
    }
  }

  it('does not wait for a row that is only held, and loses', async () => {
    const member = await ground().member();
    const row = await reserved(member, ground().newRow());
    const outcome = await member.registry.whileHeld(row, async () => {
      const reserving = await member.registry.reserve({ ...ground().newRow(), name: row.name });
      assert.deepEqual(reserving, { kind: 'lost' });
      return 'keep';
    });
    assert.equal(outcome, 'done');
  });

  const unwritable = async (row: RegistryRow, code: string, lacks: readonly 'insert'[] = []): Promise<void> => {
    const member = await ground().member(lacks.length > 0 ? { lacks } : {});
    const outcome = await member.registry.reserve(row);
    assert.ok(outcome.kind === 'unwritable', outcome.kind);
    assert.equal(outcome.failure.code, code);
    assert.equal(await rowOf(member, row.id), null);
  };

  it('is called unwritable where the role may not insert', () =>
    unwritable(ground().newRow(), 'REGISTRY_FORBIDDEN', ['insert']));

  it('is called unwritable where a check refuses its name', () =>
    unwritable({ ...ground().newRow(), name: 'shop/1' }, 'REGISTRY_SCHEMA'));

  it('is called unwritable where its connection breaks before, and is not there', async () => {
    const member = await ground().member();
    const row = ground().newRow();
    member.breakAt('reserve', 'before');
    const outcome = await member.registry.reserve(row);
    assert.ok(outcome.kind === 'unwritable');
    assert.equal(outcome.failure.code, 'REGISTRY_UNREACHABLE');
    assert.equal(await rowOf(member, row.id), null);
  });

  it('is called unwritable where its reply is lost, and is there all the same', async () => {
    const member = await ground().member();
    const row = ground().newRow();
    member.breakAt('reserve', 'after');
    const outcome = await member.registry.reserve(row);
    assert.ok(outcome.kind === 'unwritable');
    assert.equal(outcome.failure.code, 'REGISTRY_UNREACHABLE');
    assert.equal((await rowOf(member, row.id))?.row.name, row.name);
  });
}
