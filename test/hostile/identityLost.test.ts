import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { atOnce, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertKeptOut, projectWithCards, Repositories } from '../support/repositories.ts';
import { creations, refused, resolved } from '../support/resolutionAssertions.ts';

const victims = 'https://git.example/victim/payments.git';
const mallorys = 'https://git.example/mallory/evil.git';

describe('a stranger who waits until the registry is lost, closed or away', () => {
  let fixture: RegistryFixture;
  let places: Repositories;
  let engine: Engine;
  let stateFolder: string;
  let payments: string;
  let diary: string;
  let project: Project;
  let second: Project;
  let count = 0;
  before(async () => {
    fixture = await registryFixture();
    places = await Repositories.open(fixture);
    stateFolder = await fixture.stateFolder();
    engine = await fixture.engine({ ...atOnce, stateFolder });
    payments = await places.make('payments', { origin: victims, project: { name: 'payments' }, tracked: true });
    project = await projectWithCards(fixture, engine, payments);
    diary = await places.make('diary', { project: { name: 'diary' } });
    second = await projectWithCards(fixture, engine, diary);
  });
  after(() => fixture.close());

  const next = (name: string): string => `${name}-${String((count += 1))}`;

  /** Repositories of strangers that name each project, by id, by name and by both. */
  async function strangers(): Promise<{ directory: string; project: Project }[]> {
    const made = [];
    for (const one of [project, second]) {
      for (const claimed of [{ name: one.name }, { name: 'x', id: one.id }, { name: one.name, id: one.id }]) {
        for (const origin of [mallorys, null]) {
          made.push({ directory: await places.make(next('evil'), { origin, project: claimed }), project: one });
        }
      }
    }
    return made;
  }

  it('I10: gets nothing from a registry that was made again from markers; clones and folders get everything', async () => {
    const away = await fixture.engine({ host: 'elsewhere' });
    await engine.close();
    await fixture.sql('drop table projects');
    engine = await fixture.engine({ ...atOnce, stateFolder });
    resolved(await engine.resolve({ directory: await places.make(next('any'), { project: { name: next('any') } }) }));
    // As old as the rows that came back.
    await fixture.sql(`update projects set created_at = now() - interval '1 day'`);
    const [row] = await fixture.sql<{ registrar: Record<string, unknown> }>(
      `select metadata->'registrar' as registrar from projects where id = $1`,
      [project.id],
    );
    assert.equal(row?.registrar['rebuilt'], true);
    assert.equal((row.registrar['evidence'] as { hashes: string[] }).hashes.length, 1);
    for (const attack of await strangers()) {
      await assertKeptOut(fixture, attack, () => engine.resolve({ directory: attack.directory }));
    }
    const copy = places.at(next('copy'));
    await cp(diary, copy, { recursive: true });
    await assertKeptOut(fixture, { directory: copy, project: second }, () => engine.resolve({ directory: copy }));
    // Of a project without an origin, nobody but the machine that claimed it knows where it was.
    await assertKeptOut(fixture, { directory: diary, project: second }, () => away.resolve({ directory: diary }));
    const clone = places.clone(payments, next('clone'), 'git@git.example:victim/payments.git');
    assert.equal(resolved(await away.resolve({ directory: clone })).id, project.id);
    assert.equal(resolved(await engine.resolve({ directory: payments })).id, project.id);
    assert.equal(resolved(await engine.resolve({ directory: diary })).id, second.id);
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  it('I2: gets nothing of a project that waits for the registry; its clone does', async () => {
    await fixture.sql(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'closed'; end $$`,
    );
    await fixture.sql('create trigger closed before insert on projects for each row execute function refuse()');
    const origin = 'https://git.example/victim/waiting.git';
    const own = await places.make('waiting', { origin, project: { name: 'waiting' }, tracked: true });
    const answer = await engine.resolve({ directory: own });
    const waiting = resolved(answer);
    assert.equal(answer.sync?.state, 'pending');
    for (const claimed of [{ name: 'x', id: waiting.id }, { name: 'waiting', id: waiting.id }, { name: 'waiting' }]) {
      for (const address of [mallorys, null]) {
        const directory = await places.make(next('evil'), { origin: address, project: claimed });
        const agent = { folders: () => Promise.resolve([directory]) };
        await assertKeptOut(fixture, { directory, project: waiting }, () => engine.resolve({ directory, agent }));
      }
    }
    const clone = places.clone(own, next('clone'), origin);
    assert.equal(resolved(await engine.resolve({ directory: clone })).id, waiting.id);
    await fixture.sql('drop trigger closed on projects');
    await engine.syncNow();
  });

  it('S4: gets nothing from memory while the server is away; the project’s folder and its clone get the last answer', async () => {
    const attacks = await strangers();
    const clone = places.clone(payments, next('clone'), victims);
    for (const directory of [payments, clone]) resolved(await engine.resolve({ directory }));
    fixture.spy.refuse = true;
    fixture.spy.cut();
    for (const { directory, project: meant } of attacks) {
      const error = refused(await engine.resolve({ directory }), await codeWhileAway(directory, meant));
      assert.ok(!JSON.stringify(error).includes(meant.databaseName));
    }
    for (const directory of [payments, clone]) {
      const answer = await engine.resolve({ directory });
      assert.deepEqual([resolved(answer).id, answer.stale], [project.id, true]);
    }
    assert.equal((await engine.connection({ directory: attacks[0]?.directory ?? '' })).environment, null);
    fixture.spy.refuse = false;
  });

  /** A name alone is known only with its own folder; then the refusal says that nobody can be asked. */
  async function codeWhileAway(
    directory: string,
    meant: Project,
  ): Promise<'PROJECT_CONFLICT' | 'REGISTRY_UNREACHABLE'> {
    const { project: claimed } = await fixture.readConfig(directory);
    return claimed.id === meant.id ? 'PROJECT_CONFLICT' : 'REGISTRY_UNREACHABLE';
  }
});
