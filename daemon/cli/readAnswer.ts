import type { CliContext } from './cliContext.ts';
import { readLine } from './readLine.ts';

/**
 * What a person types on the terminal after a question.
 *
 * @returns null without a terminal, after Ctrl-C, or when nothing was typed
 */
export async function readAnswer({ stdin, stderr }: CliContext, question: string): Promise<string | null> {
  if (stdin.isTTY !== true) return null;
  const answer = (await readLine(stdin, question, (text) => stderr.write(text)))?.trim() ?? '';
  return answer === '' ? null : answer;
}
