import assert from 'node:assert/strict';
import { DaemonFixture, gone } from './daemonFixture.ts';

describe('a daemon that a newer version replaces', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open(['1.0.0', '1.1.0']));
  after(() => fixture.close());

  it('leaves under load without a failed call, and older clients go on with the newer', async () => {
    const home = await fixture.home('load');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const directory = await fixture.workspace('load');
    const first = await fixture.client(home, environment);
    await first.call('resolve', { directory });
    const old = await fixture.pid(home);
    let isReplaced = false;
    const created: string[] = [];
    const load = Array.from({ length: 8 }, async (_, index) => {
      const client = await fixture.client(home, environment);
      const answers = new Set<unknown>();
      for (let call = 0; !isReplaced || call < 3; call += 1) {
        if (index === 0 && call < 30) {
          // May not be done twice, so it must be answered by whoever did it.
          const name = `load-${call}`;
          answers.add((await client.call('createProject', { name })).outcome);
          created.push(name);
        } else {
          answers.add((await client.call('resolve', { directory })).outcome);
        }
      }
      return answers;
    });
    const newer = await fixture.client(home, environment, '1.1.0');
    assert.equal((await newer.call('status', undefined)).version, '1.1.0');
    isReplaced = true;
    for (const answers of await Promise.all(load)) assert.deepEqual(answers, new Set(['resolved']));
    await gone(old, 30_000);
    const after = await fixture.client(home, environment);
    assert.equal((await after.call('status', undefined)).version, '1.1.0');
    const { projects } = await after.call('listProjects', { limit: 1000 });
    assert.deepEqual(projects.map(({ name }) => name).sort(), ['load', ...created].sort());
    await fixture.run(home, ['stop'], {}, '1.1.0');
  });
});
