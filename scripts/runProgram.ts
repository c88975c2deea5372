import { spawn } from 'node:child_process';
import path from 'node:path';

export interface ProgramRun {
  /** Its exit status; null when a signal ended it. */
  status: number | null;
  /** What it printed, where that was held back. */
  output: string;
}

/**
 * Runs a program in the checkout to its end, without input.
 *
 * @param env beside this process's own
 * @param showing whether it prints where this process does
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  showing: 'shown' | 'held back',
): Promise<ProgramRun> {
  const to = showing === 'shown' ? 'inherit' : 'pipe';
  const child = spawn(command, args, {
    stdio: ['ignore', to, to],
    cwd: path.join(import.meta.dirname, '..'),
    env: { ...process.env, ...env },
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, output: Buffer.concat(chunks).toString() };
}
