import { appendFile, readFile } from 'node:fs/promises';

/** What one run of mocha left, or several together. Each failure is a test’s full title, then what it threw. */
export interface TestResults {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
}

export function noResults(): TestResults {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

/** The results in the file that `REGISTRAR_TEST_RESULTS` named; none when the run ended before it wrote them. */
export async function readResults(file: string): Promise<TestResults> {
  try {
    return { ...noResults(), ...(JSON.parse(await readFile(file, 'utf8')) as Partial<TestResults>) };
  } catch {
    return noResults();
  }
}

export function addResults(to: TestResults, more: TestResults): void {
  to.passed += more.passed;
  to.failed += more.failed;
  to.skipped += more.skipped;
  to.failures.push(...more.failures);
}

/** A run that failed without a failed test, such as one that found none, counts as one failure. */
export function countFailedRun(results: TestResults, status: number | null, name: string): void {
  if (results.failed > 0 || (status === 0 && results.passed > 0)) return;
  results.failed = 1;
  results.failures.push(`${name} ended with status ${status ?? 'none'} and named no test`);
}

/**
 * Prints what failed once more, where nobody has to scroll for it, and the sum as the last line; sets the exit status.
 * `REGISTRAR_TEST_FAILURES` names a file that gets the failures too, for who runs several such runs.
 */
export async function printResults(total: TestResults): Promise<void> {
  if (total.failures.length > 0) {
    const text = total.failures.map((failure) => `✖ ${failure.slice(0, 2000)}\n`).join('\n');
    console.log(`\nFailed:\n\n${text}`);
    const file = process.env.REGISTRAR_TEST_FAILURES;
    if (file) await appendFile(file, text);
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
