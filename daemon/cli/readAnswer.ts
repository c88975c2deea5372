import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CliContext } from './cliContext.ts';

/**
 * What a person types on the terminal after a question.
 *
 * @returns null without a terminal, after Ctrl-C, or when nothing was typed
 */
export async function readAnswer({ stdin, stderr }: CliContext, question: string): Promise<string | null> {
  if (stdin.isTTY !== true) return null;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stderr.write(chunk.toString());
      done();
    },
  });
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
  let answer: string | null = null;
  lines.question(question, (line) => {
    answer = line.trim() === '' ? null : line.trim();
    lines.close();
  });
  lines.once('SIGINT', () => {
    lines.close();
  });
  await once(lines, 'close');
  return answer;
}
