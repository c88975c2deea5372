import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { RunningPrograms } from '../../../daemon/lifecycle/runningPrograms.ts';

describe('the programs that run on a project’s database', () => {
  before(function () {
    if (process.platform !== 'linux') {
      console.log('      not run: only Linux replaces commands');
      this.skip();
    }
  });

  it('count until they end', async () => {
    const programs = new RunningPrograms();
    assert.equal(programs.areRunning(), false);
    const program = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    programs.add(program.pid ?? 0);
    assert.equal(programs.areRunning(), true);
    program.stdin.end();
    await once(program, 'close');
    assert.equal(programs.areRunning(), false);
  });

  it('do not count when they have ended before they were added', async () => {
    const programs = new RunningPrograms();
    const program = spawn('true');
    await once(program, 'close');
    programs.add(program.pid ?? 0);
    assert.equal(programs.areRunning(), false);
  });
});
