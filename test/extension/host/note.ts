import { appendFileSync } from 'node:fs';

/** Prints a line among the results: figures that are read by people and no test. */
export function note(line: string): void {
  const log = process.env.REGISTRAR_TEST_LOG;
  if (log !== undefined) appendFileSync(log, `      ${line}\n`);
}
