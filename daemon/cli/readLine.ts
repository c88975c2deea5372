import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CliContext } from './cliContext.ts';

/**
 * One line of the standard input.
 *
 * @param question written by readline where the input is a terminal, so that it is drawn again with what was typed
 * @param echo what a terminal shows of what is typed goes there
 * @returns null after Ctrl-C, or at the end of the input
 */
export async function readLine(
  stdin: CliContext['stdin'],
  question: string,
  echo: (text: string) => void,
): Promise<string | null> {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      echo(chunk.toString());
      done();
    },
  });
  const lines = createInterface({ input: stdin, output, terminal: stdin.isTTY === true, historySize: 0 });
  let line: string | null = null;
  // Not `question()`, which does not hear of a last line without an end.
  lines.once('line', (typed) => {
    line = typed;
    lines.close();
  });
  lines.setPrompt(question);
  lines.prompt();
  lines.once('SIGINT', () => {
    lines.close();
  });
  await once(lines, 'close');
  return line;
}
