import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/**
 * The spec reporter that also leaves the counts and what failed as JSON in the file named by `REGISTRAR_TEST_RESULTS`,
 * so that the runner of all stages adds numbers instead of reading text.
 */
class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.REGISTRAR_TEST_RESULTS;
    if (file === undefined) return;
    const failed: string[] = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: Error) => {
      failed.push(`${test.fullTitle()}\n${error.stack ?? error.message}`);
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, failures: failed }));
    });
  }
}

// Mocha loads a reporter with `require`, which gives a module's namespace unless this name is exported.
export { CountingReporter as 'module.exports' };
