import assert from 'node:assert/strict';
import type { EngineOptions } from '../../daemon/engine/engine.ts';
import { ChangeWatch } from '../../daemon/postgres/registry/registryChanges.ts';
import { RegistryDatabase } from '../../daemon/postgres/registry/registryDatabase.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { recordLog } from '../support/recordedLog.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved, warningCodes } from '../support/resolutionAssertions.ts';
import { addressOf } from '../support/serverAddress.ts';

describe('a daemon that stays, beside others', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());
  afterEach(() => {
    fixture.spy.rewrite = null;
  });

  /** A project that two daemons know; the second watches and has heard all that was. */
  async function known(name: string, watchTimes: EngineOptions['watchTimes'] = { echoMs: 30_000 }) {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    const one = await fixture.engine();
    const { id } = resolved(await one.resolve({ directory: folder }));
    const log = recordLog();
    const other = await fixture.engine({ log, watches: true, watchTimes });
    resolved(await other.resolve({ project: id }));
    return { one, other, log, id };
  }

  it('hears of a rename, and says the new name also when the server is gone', async () => {
    const { one, other, log, id } = await known('first name');
    await one.updateProject({ project: id, name: 'second name' });
    await log.line('projects changed elsewhere');
    fixture.spy.refuse = true;
    fixture.spy.cut();
    try {
      const stale = await other.resolve({ project: id });
      assert.deepEqual(warningCodes(stale), ['STALE']);
      assert.equal(resolved(stale).name, 'second name');
    } finally {
      fixture.spy.refuse = false;
    }
  });

  it('hears that a project was forgotten, and does not answer for it from memory', async () => {
    const { one, other, log, id } = await known('soon forgotten');
    await one.forgetProject({ project: id });
    await log.line('projects changed elsewhere');
    fixture.spy.refuse = true;
    fixture.spy.cut();
    try {
      const answer = await other.resolve({ project: id });
      assert.equal(answer.error?.code, 'REGISTRY_UNREACHABLE');
      assert.equal(answer.project, null);
    } finally {
      fixture.spy.refuse = false;
    }
  });

  it('listens again after its connection was lost, and has not missed what happened meanwhile', async () => {
    const { one, log, id } = await known('over a cut');
    fixture.spy.cut();
    await one.updateProject({ project: id, name: 'after a cut' });
    await log.line('projects changed elsewhere');
  });

  it('notices by itself where notifications do not arrive', async () => {
    // As behind a pooler in transaction mode: LISTEN is accepted, and nothing comes.
    fixture.spy.rewrite = (sql) => (sql.startsWith('listen') ? 'select 1' : null);
    const { one, log, id } = await known('without ears', { echoMs: 100, pollMs: 100 });
    await one.updateProject({ project: id, name: 'by polling' });
    await log.line('projects changed elsewhere');
    assert.equal(
      fixture.spy.statements.some((sql) => sql.startsWith('listen')),
      true,
    );
  });

  it('listens after all when the server was only slow at first', async () => {
    fixture.spy.rewrite = (sql) => (sql.startsWith('listen') ? 'select 1' : null);
    const database = new RegistryDatabase(addressOf(fixture.url()), patientLimits);
    const modes: string[] = [];
    await new Promise<void>((resolve) => {
      const watch = ChangeWatch.start(database, {
        echoMs: 1000,
        pollMs: 100,
        retryDelayMs: () => 100,
        onChange: () => {
          modes.push(watch.mode);
          fixture.spy.rewrite = null;
          if (watch.mode === 'listening') void watch.stop().then(resolve);
        },
      });
    });
    assert.deepEqual([modes[0], modes.at(-1)], ['polling', 'listening']);
    await database.close();
  });
});
