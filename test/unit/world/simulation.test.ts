import assert from 'node:assert/strict';
import { Counts } from '../../simulation/counts.ts';
import { History } from '../../simulation/history.ts';

describe('a simulated history', () => {
  /** A tape of numbers that look like chance, and are the same ones each time. */
  const tape = (seed: number): number[] => {
    let state = seed;
    return Array.from({ length: 80 }, () => (state = (state * 48_271) % 2_147_483_647) % 100_000);
  };

  it('is the same one each time that it is run from the same numbers', async () => {
    const counts = new Counts();
    const lines: string[][] = [];
    for (let time = 0; time < 2; time += 1) {
      const history = new History(counts);
      await history.run(tape(7));
      lines.push(history.lines);
    }
    assert.deepEqual(lines[0], lines[1]);
    assert.ok((lines[0]?.length ?? 0) > 100);
    assert.ok(counts.lines().some((line) => /^fault (?:away|lost) at /.test(line)));
    assert.ok(counts.lines().some((line) => line.startsWith('killed at ')));
  });

  it('without any number is three folders that get their projects, and a stranger who gets none', async () => {
    const history = new History(new Counts());
    await history.run([]);
    const told = history.lines.filter((line) => line.includes('is told'));
    assert.equal(told.length, 12);
    for (const line of told.slice(0, 9)) assert.match(line, /is told resolved: (?:shop|blog|wiki)$/);
    for (const line of told.slice(9)) assert.match(line, /is told "shop" belongs to a folder on this machine/);
  });
});
