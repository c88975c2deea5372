import assert from 'node:assert/strict';
import { handOver, NotProved } from '../../../daemon/engine/handOver.ts';
import type { ErrorCode } from '../../../daemon/protocol/codes.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { refused, resolved } from '../cli/fakeCli.ts';

const stale: Resolution = {
  ...resolved,
  stale: true,
  warnings: [{ code: 'STALE', message: 'localhost:5432 does not answer; queries will fail', hint: 'Start it.' }],
};

function notProved(code: ErrorCode): NotProved {
  return new NotProved(new RegistrarError({ code, message: `It is ${code}.`, hint: 'Look.' }));
}

/** Hands over with these resolutions, one after the other, and these refusals of the database. */
async function run(answers: Resolution[], refusals: (Error | null)[]): Promise<{ calls: string[]; result: unknown }> {
  const calls: string[] = [];
  const result = handOver(
    async () => {
      calls.push('resolve');
      return answers.shift() ?? assert.fail('resolved too often');
    },
    async ({ name }) => {
      calls.push(`ask ${name}`);
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      return 'given';
    },
  );
  return { calls, result: await result };
}

describe('handing over', () => {
  it('gives what the database agrees to, and says that it did', async () => {
    const { calls, result } = await run([resolved], [null]);
    const { resolution, given } = result as { resolution: Resolution; given: string | null };
    assert.deepEqual([calls, given], [['resolve', 'ask shop'], 'given']);
    assert.deepEqual(
      resolution.trace.filter(({ name }) => name === 'identity').map(({ outcome, reason }) => [outcome, reason]),
      [['matched', 'the database itself says so']],
    );
  });

  it('asks no database where nothing was resolved, or where a dry run would have to make it', async () => {
    const refusal = refused({ code: 'PROJECT_CONFLICT', message: 'No.', hint: 'Choose.' });
    for (const answer of [refusal, { ...resolved, wouldDo: ['create database x'] }]) {
      const { calls, result } = await run([answer], []);
      assert.deepEqual([calls, result], [['resolve'], { resolution: answer, given: null }]);
    }
  });

  it('says nothing of queries that will fail, when the database behind a silent registry has just answered', async () => {
    const { result } = await run([stale], [null]);
    const { resolution } = result as { resolution: Resolution };
    assert.equal(resolution.stale, true);
    assert.match(resolution.warnings[0]?.message ?? '', /^The registry could not be asked/);
  });

  it('refuses with what the database said, and gives no project along with it', async () => {
    const { calls, result } = await run([stale], [notProved('MARKER_MISSING')]);
    const { resolution, given } = result as { resolution: Resolution; given: string | null };
    assert.deepEqual([calls, given], [['resolve', 'ask shop'], null]);
    const { outcome, project, error, sync, warnings, trace } = resolution;
    assert.deepEqual([outcome, project, error?.code, sync, warnings], ['refused', null, 'MARKER_MISSING', null, []]);
    assert.deepEqual([trace.at(-1)?.name, trace.at(-1)?.outcome], ['identity', 'failed']);
  });

  for (const code of ['DATABASE_FOREIGN', 'DATABASE_MISSING', 'MARKER_MISSING'] as const) {
    it(`resolves once more after ${code}: somebody may have changed it in between`, async () => {
      const mended = await run([resolved, resolved], [notProved(code), null]);
      assert.deepEqual(mended.calls, ['resolve', 'ask shop', 'resolve', 'ask shop']);
      assert.equal((mended.result as { given: string | null }).given, 'given');
      const kept = await run([resolved, resolved], [notProved(code), notProved(code)]);
      assert.equal((kept.result as { resolution: Resolution }).resolution.error?.code, code);
    });
  }

  it('does not ask again a server that did not answer', async () => {
    const { calls } = await run([resolved], [notProved('REGISTRY_UNREACHABLE')]);
    assert.deepEqual(calls, ['resolve', 'ask shop']);
  });

  it('throws what is no matter of whose the database is', async () => {
    await assert.rejects(run([resolved], [new Error('a defect')]), /a defect/);
  });
});
