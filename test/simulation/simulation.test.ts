import assert from 'node:assert/strict';
import { Counts } from './counts.ts';
import { simulate, textOf } from './simulate.ts';

const [parts, histories] = [8, 2_500];

describe(`${String(parts * histories)} simulated histories`, () => {
  // The same ones each time, so that one that fails is due to the change; `npm run simulate` draws others.
  const first = Number(process.env.REGISTRAR_TEST_SEED ?? '1');
  const counts = new Counts();
  let stopWatching: () => void;

  before(() => {
    stopWatching = counts.watchRules();
  });

  after(() => {
    stopWatching();
  });

  for (let part = 0; part < parts; part += 1)
    it(`keep every promise, seed ${String(first + part)}`, async function () {
      this.timeout(600_000);
      const broken = await simulate(histories, first + part, counts);
      assert.equal(broken && textOf(broken), null);
    });

  it('have every rule, fault, death, command and disturbance', () => {
    assert.deepEqual(counts.complaints(), []);
  });
});
