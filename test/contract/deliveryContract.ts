import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RegistryRow } from '../../daemon/registry/model.ts';
import type { Ground, Member } from './ground.ts';
import { markerFor, reserved, rowOf } from './reading.ts';

export function deliveryContract(ground: () => Ground): void {
  const kinds = async (member: Member, rows: RegistryRow[]): Promise<string[]> =>
    (await member.deliver(rows)).map(({ kind }) => kind);
  const ready = (): RegistryRow => ground().newRow({ state: 'ready' });

  it('makes a row of each entry, and finds them there when it is repeated', async () => {
    const [one, other] = [await ground().member(), await ground().member()];
    const rows = [ready(), ready()];
    assert.deepEqual(await kinds(one, rows), ['delivered', 'delivered']);
    for (const row of rows) {
      const seen = (await rowOf(other, row.id))?.row;
      assert.deepEqual([seen?.name, seen?.createdAt, seen?.registrar], [row.name, row.createdAt, row.registrar]);
    }
    assert.deepEqual(await kinds(other, rows), ['delivered', 'delivered']);
    const [first] = rows;
    const events = await one.registry.lookEvents({ id: first?.id ?? null, name: null });
    assert.deepEqual(
      events.map(({ operation }) => operation),
      ['created'],
    );
  });

  it('is there where its reply was lost, and is not where the connection broke before', async () => {
    for (const when of ['before', 'after'] as const) {
      const member = await ground().member();
      const row = ready();
      member.breakAt('deliver', when);
      await assert.rejects(member.deliver([row]), { code: 'REGISTRY_UNREACHABLE' });
      assert.equal((await rowOf(member, row.id)) !== null, when === 'after');
      assert.deepEqual(await kinds(member, [row]), ['delivered']);
    }
  });

  it('brings the others although one is in conflict, and says with what', async () => {
    const member = await ground().member();
    const there = await reserved(member, ready());
    const rows = [
      ready(),
      { ...ready(), name: there.name },
      { ...ready(), databaseName: there.databaseName },
      { ...ready(), id: there.id },
      ready(),
    ];
    const outcomes = await member.deliver(rows);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['delivered', 'conflict', 'conflict', 'conflict', 'delivered'],
    );
    const reasons = outcomes.flatMap((outcome) => (outcome.kind === 'conflict' ? [outcome.error.message] : []));
    assert.match(reasons[0] ?? '', /^the name "shop \d+" is taken$/);
    assert.match(reasons[1] ?? '', /is another project's$/);
    assert.match(reasons[2] ?? '', /^the registry has this project with database /);
  });

  it('leaves the others where a check refuses one of them', async () => {
    const member = await ground().member();
    const rows = [ready(), { ...ready(), name: 'shop/2' }, ready()];
    assert.deepEqual(await kinds(member, rows), ['delivered', 'conflict', 'delivered']);
  });

  it('waits for a row that is not committed, and says what came of it', async () => {
    for (const end of ['commit', 'rollback'] as const) {
      const member = await ground().member();
      const row = ready();
      const other = await ground().begin();
      await other.insert({ ...ready(), name: row.name });
      const delivering = kinds(member, [row]);
      await ground().waiting(1);
      await other[end]();
      assert.deepEqual(await delivering, [end === 'commit' ? 'conflict' : 'delivered']);
    }
  });

  it('does not bring back what was forgotten by somebody who is believed', async () => {
    const member = await ground().member();
    const [row, planted] = [ready(), ready()];
    const forgotten = (one: RegistryRow): string => markerFor(member, one, { forgottenAt: one.createdAt });
    await ground().makeDatabase(row.databaseName, { comment: forgotten(row) });
    await ground().makeDatabase(planted.databaseName, {
      ...{ owner: await ground().stranger(), comment: forgotten(planted) },
    });
    assert.deepEqual(await kinds(member, [row, planted]), ['forgotten', 'delivered']);
    assert.equal(await rowOf(member, row.id), null);
  });

  it('does not bring back what was dropped after the entry was made', async () => {
    const member = await ground().member();
    const row = await reserved(member, ready());
    assert.equal(await member.registry.whileHeld(row, () => Promise.resolve('delete')), 'done');
    const [outcome] = await member.deliver([row]);
    assert.ok(outcome?.kind === 'conflict');
    assert.equal(outcome.error.code, 'PROJECT_DROPPED');
    const later = new Date(Date.parse(row.createdAt) + 3_600_000).toISOString();
    assert.deepEqual(await kinds(member, [{ ...row, createdAt: later }]), ['delivered']);
  });

  it('knows its row that got another id meanwhile', async () => {
    const member = await ground().member();
    const row = await reserved(member, ready());
    const change = { id: randomUUID(), registrar: { formerIds: [row.id] } };
    assert.equal(await member.registry.change(row, change, null), 'done');
    assert.deepEqual(await kinds(member, [row]), ['delivered']);
    assert.equal(await rowOf(member, row.id), null);
  });

  it('adds former ids that the entry alone knows to a row that somebody made from its marker', async () => {
    const member = await ground().member();
    const row = await reserved(member, ready());
    const [known, lost] = [randomUUID(), randomUUID()];
    const registrar = { formerIds: [known], schemaVersion: 'kept' };
    assert.equal(await member.registry.change(row, { registrar }, null), 'done');
    const entry = { ...row, registrar: { ...row.registrar, formerIds: [lost, known] } };
    assert.deepEqual(await kinds(member, [entry, ready()]), ['delivered', 'delivered']);
    const seen = await rowOf(member, row.id);
    assert.ok(seen);
    assert.deepEqual(seen.row.registrar.formerIds?.toSorted(), [known, lost].toSorted());
    assert.equal(seen.row.updatedAt, row.updatedAt);
    const newId = randomUUID();
    assert.equal(
      await member.registry.change(seen.row, { id: newId, registrar: { formerIds: [row.id] } }, null),
      'done',
    );
    assert.deepEqual(await kinds(member, [entry]), ['delivered']);
    const ids = (await rowOf(member, newId))?.row.registrar.formerIds;
    assert.deepEqual(ids?.toSorted(), [known, lost, row.id].toSorted());
  });

  it('keeps an entry with former ids where the role may not change the row that lacks them', async () => {
    const row = await reserved(await ground().member(), ready());
    const member = await ground().member({ lacks: ['update'] });
    assert.deepEqual(await kinds(member, [row]), ['delivered']);
    const [outcome] = await member.deliver([{ ...row, registrar: { ...row.registrar, formerIds: [randomUUID()] } }]);
    assert.ok(outcome?.kind === 'failed');
    assert.equal(outcome.error.code, '42501');
    assert.match(outcome.error.message, /UPDATE on projects is missing/);
  });

  it('fails for each entry where the role may not insert', async () => {
    const member = await ground().member({ lacks: ['insert'] });
    const outcomes = await member.deliver([ready(), ready()]);
    for (const outcome of outcomes) {
      assert.ok(outcome.kind === 'failed');
      assert.equal(outcome.error.code, '42501');
      assert.match(outcome.error.message, /INSERT on projects is missing/);
    }
  });
}
