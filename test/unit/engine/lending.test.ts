import assert from 'node:assert/strict';
import { Lending } from '../../../daemon/engine/lending.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';

const reason = new RegistrarError({ code: 'DAEMON_UNREACHABLE', message: 'Cut off.', hint: 'Try again.' });

describe('lending', () => {
  it('ends at once when nobody uses it', async () => {
    await new Lending().end(60_000, reason);
  });

  it('ends when the last of those who use it has finished, one that failed too', async () => {
    const lending = new Lending();
    const finishers: (() => void)[] = [];
    const first = lending.lend(
      () =>
        new Promise((resolve) =>
          finishers.push(() => {
            resolve('done');
          }),
        ),
    );
    const second = lending.lend(
      () =>
        new Promise((_, reject) =>
          finishers.push(() => {
            reject(new Error('own'));
          }),
        ),
    );
    let hasEnded = false;
    const end = lending.end(60_000, reason).then(() => (hasEnded = true));
    finishers[0]?.();
    assert.equal(await first, 'done');
    assert.equal(hasEnded, false);
    finishers[1]?.();
    await assert.rejects(second, /own/);
    await end;
  });

  it('cuts off whoever takes longer than the limit, and does not mind how that ends', async () => {
    const lending = new Lending();
    let fail: (error: Error) => void = () => undefined;
    const endless = lending.lend(() => new Promise<never>((_, reject) => (fail = reject)));
    const [cut] = await Promise.allSettled([endless, lending.end(0, reason)]);
    assert.equal(cut.status === 'rejected' && cut.reason, reason);
    // Nobody listens any more; unhandled it would end the process.
    fail(new Error('too late'));
    await new Promise(setImmediate);
  });
});
