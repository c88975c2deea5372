import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';

import type { StarterEvent } from './serverFixture.ts';
import { findPostmasters, ServerFixture } from './serverFixture.ts';

describe('several starters of one bundled server at once', function () {
  this.timeout(60_000);
  let fixture: ServerFixture;

  beforeEach(async () => {
    fixture = await ServerFixture.open();
  });
  afterEach(async () => {
    await fixture.close();
  });

  async function startAtOnce(count: number): Promise<StarterEvent[]> {
    const starters = Array.from({ length: count }, () => fixture.startChild());
    return await Promise.all(starters.map(({ nextEvent }) => nextEvent((event) => event.address !== undefined)));
  }

  async function assertOneServer(events: StarterEvent[]): Promise<void> {
    const [first] = events;
    assert.ok(first?.address);
    for (const event of events) assert.deepEqual(event.address, first.address);
    assert.deepEqual(
      events.filter((event) => !event.reused).length,
      1,
      'exactly one of them started the server that all got',
    );
    assert.deepEqual(await findPostmasters(await fixture.data()), [await fixture.postmasterPid()]);
    // Registers the server with the fixture, which stops it; it is also the same for one who comes later.
    const later = await fixture.start();
    assert.equal(later.reused, true);
    assert.deepEqual(later.address, first.address);
  }

  it('two on an empty folder end with one data folder, one server and one address', async () => {
    await assertOneServer(await startAtOnce(2));
    const leftOver = (await readdir(await fixture.home())).filter((name) => name.startsWith('cluster.new-'));
    assert.deepEqual(leftOver, []);
  });

  it('four after a crash end with one server', async () => {
    await fixture.start();
    await fixture.killPostmaster();
    await assertOneServer(await startAtOnce(4));
  });
});
