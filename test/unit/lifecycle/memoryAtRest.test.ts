import assert from 'node:assert/strict';
import { collectAll, MemoryAtRest } from '../../../daemon/lifecycle/memoryAtRest.ts';

describe('the memory of a daemon at rest', () => {
  let now = 0;
  let resident = 0;
  let timers: { at: number; onTime(): void }[] = [];
  let collected: string[] = [];
  let memory: MemoryAtRest;

  beforeEach(() => {
    now = 0;
    resident = 190;
    timers = [];
    collected = [];
    memory = new MemoryAtRest({
      afterMs: 35_000,
      now: () => now,
      residentBytes: () => resident,
      collect() {
        now += 60;
        resident = 110;
      },
      onCollected: ({ before, after, durationMs }) => {
        collected.push(`${String(before)} to ${String(after)} in ${String(durationMs)}`);
      },
      startTimer(ms, onTime) {
        const timer = { at: now + ms, onTime };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    });
  });

  function passTo(time: number): void {
    for (;;) {
      const [timer] = timers.filter(({ at }) => at <= time);
      if (!timer) break;
      timers.splice(timers.indexOf(timer), 1);
      now = Math.max(now, timer.at);
      timer.onTime();
    }
    now = Math.max(now, time);
  }

  it('is given back when nobody asked for anything for a while', () => {
    memory.touch();
    passTo(34_999);
    assert.deepEqual(collected, []);
    passTo(35_000);
    assert.deepEqual(collected, ['190 to 110 in 60']);
    passTo(1_000_000);
    assert.equal(collected.length, 1);
  });

  it('stays while somebody asks, with one timer however often', () => {
    for (let second = 0; second < 120; second += 1) {
      passTo(second * 1000);
      memory.touch();
      assert.equal(timers.length, 1);
    }
    assert.deepEqual(collected, []);
    passTo(119_000 + 35_000);
    assert.equal(collected.length, 1);
  });

  it('is collected again only where it has grown', () => {
    memory.touch();
    passTo(35_000);
    resident = 120;
    memory.touch();
    passTo(100_000);
    assert.equal(collected.length, 1);
    resident = 122;
    memory.touch();
    passTo(200_000);
    assert.equal(collected.length, 2);
  });

  it('is left alone once the daemon ends', () => {
    memory.touch();
    memory.stop();
    memory.touch();
    assert.deepEqual(timers, []);
  });

  it('goes back to the system, not only to V8', () => {
    // Lists that were kept long enough to be moved to where V8 keeps what is old.
    let kept: number[][] | null = Array.from({ length: 200_000 }, (_, index) => [
      index,
      index,
      index,
      index,
      index,
      index,
    ]);
    collectAll();
    const before = process.memoryUsage();
    assert.equal(kept.length, 200_000);
    kept = null;
    collectAll();
    const after = process.memoryUsage();
    assert.ok(
      before.heapTotal - after.heapTotal > 10_000_000,
      `${String(before.heapTotal)}, ${String(after.heapTotal)}`,
    );
    if (process.platform === 'linux')
      assert.ok(before.rss - after.rss > 10_000_000, `${String(before.rss)}, then ${String(after.rss)}`);
  });
});
