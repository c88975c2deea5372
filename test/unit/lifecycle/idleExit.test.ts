import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { AgentActivity } from '../../../daemon/lifecycle/agentActivity.ts';
import { IdleExit } from '../../../daemon/lifecycle/idleExit.ts';

const minute = 60_000;

describe('the end of a daemon that nobody needs', () => {
  let timers: { ms: number; onTime(): void }[] = [];
  let isNeeded = false;
  let mayEnd = (): Promise<boolean> => Promise.resolve(true);
  let ends = 0;
  let idle: IdleExit;

  beforeEach(() => {
    timers = [];
    isNeeded = false;
    mayEnd = () => Promise.resolve(true);
    ends = 0;
    idle = new IdleExit({
      afterMs: 10 * minute,
      isNeeded: () => isNeeded,
      mayEnd: () => mayEnd(),
      end: () => (ends += 1),
      startTimer(ms, onTime) {
        const timer = { ms, onTime };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    });
  });

  /** The time of the one timer that there is passes. */
  const pass = async (): Promise<void> => {
    const [timer, ...others] = timers.splice(0);
    assert.deepEqual(others, []);
    timer?.onTime();
    await turn();
  };

  it('comes when the time is over', async () => {
    idle.touch();
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [10 * minute],
    );
    await pass();
    assert.equal(ends, 1);
  });

  it('begins anew when somebody comes, with one timer however many do', () => {
    for (let client = 0; client < 5; client += 1) idle.touch();
    assert.equal(timers.length, 1);
  });

  it('does not come while somebody needs it, and then looks at most once a minute', async () => {
    isNeeded = true;
    idle.setAfter(1000);
    assert.equal(timers[0]?.ms, minute);
    await pass();
    assert.equal(ends, 0);
    isNeeded = false;
    await pass();
    assert.equal(ends, 1);
  });

  it('does not come when the last look finds a reason, fails, or somebody comes during it', async () => {
    mayEnd = () => Promise.resolve(false);
    idle.touch();
    await pass();
    mayEnd = () => Promise.reject(new Error('no answer'));
    await pass();
    mayEnd = () => {
      idle.touch();
      return Promise.resolve(true);
    };
    await pass();
    mayEnd = () => {
      isNeeded = true;
      return Promise.resolve(true);
    };
    await pass();
    assert.equal(ends, 0);
    assert.equal(timers.length, 1);
  });

  it('does not come any more when the daemon ends for another reason', async () => {
    idle.touch();
    const late = timers[0];
    idle.stop();
    idle.touch();
    late?.onTime();
    await turn();
    assert.equal(ends, 0);
    assert.deepEqual(timers, []);
  });
});

describe('an agent', () => {
  it('counts as at work for half an hour after it was heard, whatever the clock says', () => {
    let now = 1_000_000;
    const agents = new AgentActivity(() => now);
    assert.equal(agents.isRecent(), false);
    agents.heard();
    now += 30 * minute - 1;
    assert.equal(agents.isRecent(), true);
    now += 1;
    assert.equal(agents.isRecent(), false);
    agents.heard();
    assert.equal(agents.isRecent(), true);
  });
});
