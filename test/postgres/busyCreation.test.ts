import assert from 'node:assert/strict';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

describe('while databases are being made', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  it('C1: a project that exists is answered by the registry, and not after those that are made', async () => {
    const engine = await fixture.engine();
    const known = await engine.createProject({ name: 'known' });
    assert.equal(known.outcome, 'resolved');

    // As many as the pool has connections: each CREATE DATABASE waits for a lock that the test holds.
    await fixture.sql('select pg_advisory_lock(7)');
    let waiting = 0;
    const fourWait = new Promise<void>((resolve) => {
      fixture.spy.rewrite = (sql) => {
        if (!sql.startsWith('create database')) return null;
        waiting += 1;
        if (waiting === 4) resolve();
        return 'select pg_advisory_xact_lock(7)';
      };
    });
    const making = Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => engine.createProject({ name: `slow ${String(index)}` })),
    );
    await fourWait;
    try {
      // Again and again: were there more of them to come, each would take another connection meanwhile.
      for (let asked = 0; asked < 50; asked += 1) {
        const answer = await engine.resolve({ project: 'known' });
        assert.equal(answer.outcome, 'resolved');
        assert.equal(answer.stale, false);
      }
      assert.equal(waiting, 4);
    } finally {
      fixture.spy.rewrite = null;
      await fixture.sql('select pg_advisory_unlock(7)');
      await making;
    }
  });
});
