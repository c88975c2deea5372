import assert from 'node:assert/strict';
import { Turns } from '../../../../daemon/postgres/connection/turns.ts';

describe('turns', () => {
  /** Longer than any test may take. */
  const longMs = 600_000;
  const tooLate = (): Error => new Error('too late');
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** Work that goes on until it is told to end, and what has begun, in order. */
  function workshop(turns: Turns): {
    begun: string[];
    start: (name: string, whose: string) => void;
    end: (name: string) => Promise<void>;
  } {
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    return {
      begun,
      start(name, whose) {
        void turns.run(
          longMs,
          tooLate,
          () =>
            new Promise<void>((resolve) => {
              begun.push(name);
              ends.set(name, resolve);
            }),
          whose,
        );
      },
      async end(name) {
        (ends.get(name) ?? assert.fail(`${name} has not begun`))();
        await settled();
      },
    };
  }

  it('are limited in number, and handed on in the order of asking', async () => {
    const { begun, start, end } = workshop(new Turns(2));
    for (const name of ['a', 'b', 'c', 'd']) start(name, '');
    await settled();
    assert.deepEqual(begun, ['a', 'b']);
    await end('b');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    await end('a');
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
  });

  it('are limited for each one who asks, so that nobody takes them all', async () => {
    const { begun, start, end } = workshop(new Turns(5, 2));
    for (const name of ['a1', 'a2', 'a3']) start(name, 'a');
    start('b1', 'b');
    await settled();
    assert.deepEqual(begun, ['a1', 'a2', 'b1']);
    await end('b1');
    assert.deepEqual(begun, ['a1', 'a2', 'b1'], 'the third still waits for its own');
    await end('a1');
    assert.deepEqual(begun, ['a1', 'a2', 'b1', 'a3']);
  });

  it('go to who has the fewest when all are taken', async () => {
    const { begun, start, end } = workshop(new Turns(3, 2));
    for (const [name, whose] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['a3', 'a'],
      ['b2', 'b'],
      ['c1', 'c'],
    ] as const) {
      start(name, whose);
    }
    await settled();
    assert.deepEqual(begun, ['a1', 'a2', 'b1']);
    await end('a1');
    assert.deepEqual(begun.slice(3), ['c1']);
    await end('a2');
    assert.deepEqual(begun.slice(3), ['c1', 'a3'], 'of those with none, who asked first');
    await end('c1');
    assert.deepEqual(begun.slice(3), ['c1', 'a3', 'b2']);
  });

  it('are given up by who waited too long, and by work that fails', async () => {
    const turns = new Turns(1);
    const { begun, start, end } = workshop(turns);
    start('a', '');
    await assert.rejects(
      turns.run(1, tooLate, () => Promise.resolve()),
      /too late/,
    );
    await end('a');
    await assert.rejects(
      turns.run(longMs, tooLate, () => Promise.reject(new Error('failed'))),
      /failed/,
    );
    start('b', '');
    await settled();
    assert.deepEqual(begun, ['a', 'b']);
  });
});
