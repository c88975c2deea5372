import assert from 'node:assert/strict';
import { WindowLooks, type LooksTiming } from '../../../daemon/engine/windowLooks.ts';
import type { Engine } from '../../../daemon/engine/engine.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { refused, resolved } from '../cli/fakeCli.ts';

const calm: LooksTiming = { wellMs: 3_600_000, watchfulMs: 3_600_000, factsMs: 3_600_000 };
const unreachable = { code: 'REGISTRY_UNREACHABLE', message: 'It does not answer.', hint: 'Start it.' } as const;

/** Looks on a fake engine; each method can be replaced while it runs. */
function fakeLooks(timing = calm) {
  const engine = {
    look: async (): Promise<Resolution> => resolved,
    databaseFacts: async () => ({ bytes: 1000, tables: 2 }),
    countProjects: async () => 23,
    isListening: () => true,
  };
  const fake = {
    engine,
    folders: ['/home/a/shop'],
    changes: 0,
    /** Replaced by a test that waits for the next change. */
    onChange: (): void => undefined,
  };
  const looks = new WindowLooks({
    holder: { use: async (_offer, _progress, run) => run(engine as unknown as Engine) },
    folders: () => fake.folders,
    onChanged: () => {
      fake.changes += 1;
      fake.onChange();
    },
    timing,
  });
  const changed = (): Promise<void> => new Promise((resolve) => (fake.onChange = resolve));
  const state = (path = '/home/a/shop') => looks.stateOf({ path, trusted: true });
  return { fake, looks, changed, state };
}

describe('what windows see of their folders', () => {
  it('is the answer first, then the size of its database and the number of projects', async () => {
    const { fake, looks, changed, state } = fakeLooks();
    let measured: (facts: { bytes: number; tables: number }) => void = () => undefined;
    fake.engine.databaseFacts = () => new Promise((resolve) => (measured = resolve));
    assert.deepEqual(state(), { path: '/home/a/shop', trusted: true, resolution: null, database: null });
    await looks.look();
    assert.equal(state().resolution, resolved);
    assert.equal(state().database, null);
    const isMeasured = changed();
    measured({ bytes: 1000, tables: 2 });
    await isMeasured;
    assert.deepEqual(state().database, { bytes: 1000, tables: 2 });
    assert.equal(looks.projects, 23);
    await looks.stop();
  });

  it('looks once more for whoever asks during a look, and no more than that', async () => {
    const { fake, looks } = fakeLooks();
    let count = 0;
    fake.engine.look = async () => {
      count += 1;
      return resolved;
    };
    await Promise.all([looks.look(), looks.look(), looks.look()]);
    assert.equal(count, 2);
    await looks.stop();
  });

  it('keeps the answer of somebody who asked for a folder that a window has open', async () => {
    const { looks, state } = fakeLooks();
    looks.note('/home/a/shop', { ...resolved, created: true }, true);
    looks.note('/elsewhere', resolved, true);
    assert.equal(state().resolution?.created, true);
    assert.equal(state('/elsewhere').resolution, null);
    await looks.stop();
  });

  it('keeps what a request did until a person asks again, though every look since saw nothing of it', async () => {
    const { looks, state } = fakeLooks();
    const recreated = { code: 'DATABASE_RECREATED', message: 'Its data is gone.', hint: 'Restore it.' } as const;
    const claims = (['FOLDER_MOVED', 'FIRST_CLAIM', 'CLAIMED_ELSEWHERE'] as const).map(
      (code) => ({ code, message: 'It has this folder now.', hint: 'Nothing to do.' }) as const,
    );
    looks.note('/home/a/shop', { ...resolved, warnings: [recreated] }, true);
    await looks.look();
    looks.note('/home/a/shop', { ...resolved, warnings: claims }, false);
    await looks.look();
    assert.deepEqual(state().resolution?.warnings, [...claims, recreated]);
    looks.note('/home/a/shop', resolved, true);
    assert.deepEqual(state().resolution?.warnings, []);
    await looks.stop();
  });

  it('forgets folders that no window has open any more', async () => {
    const { fake, looks, state } = fakeLooks();
    await looks.look();
    fake.folders = [];
    await looks.look();
    assert.equal(state().resolution, null);
    await looks.stop();
  });

  it('shows nothing old when no PostgreSQL can be asked', async () => {
    const { fake, looks, state } = fakeLooks();
    await looks.look();
    fake.engine.look = () => Promise.reject(new RegistrarError({ ...unreachable, code: 'POSTGRES_NOT_CHOSEN' }));
    await looks.look();
    assert.equal(state().resolution, null);
    await looks.stop();
  });

  it('looks again by itself while the server does not answer', async () => {
    const { fake, looks, changed, state } = fakeLooks({ ...calm, watchfulMs: 1 });
    fake.engine.look = async () => refused(unreachable);
    await looks.look();
    assert.equal(state().resolution?.error?.code, 'REGISTRY_UNREACHABLE');
    fake.engine.look = async () => resolved;
    while (state().resolution !== resolved) await changed();
    await looks.stop();
  });

  it('looks often where nobody tells that the server stopped', async () => {
    const { fake, looks, changed } = fakeLooks({ ...calm, watchfulMs: 1 });
    fake.engine.isListening = () => false;
    await looks.look();
    const { changes } = fake;
    while (fake.changes < changes + 3) await changed();
    await looks.stop();
  });

  it('asks nothing any more once it is stopped', async () => {
    const { fake, looks } = fakeLooks({ ...calm, wellMs: 1 });
    await looks.look();
    await looks.stop();
    fake.engine.look = () => assert.fail('it looked');
    await looks.look();
  });

  it('goes on without sizes where they cannot be had', async () => {
    const { fake, looks, state } = fakeLooks();
    fake.engine.databaseFacts = () => Promise.reject(new Error('permission denied'));
    await looks.look();
    await looks.stop();
    assert.equal(state().resolution, resolved);
    assert.equal(state().database, null);
  });
});
