import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CliContext } from './cliContext.ts';

/**
 * The password from whoever runs the command: typed without echo on a terminal, else the first line of standard input.
 *
 * @returns null when none was given (an empty line, the end of the input, or Ctrl-C)
 */
export async function readPassword({ stdin, stderr }: CliContext, prompt: string): Promise<string | null> {
  const terminal = stdin.isTTY === true;
  stderr.write(terminal ? prompt : 'Reading the password from standard input…\n');
  // On a terminal, readline echoes what is typed to its output: this one drops it.
  const output = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output, terminal, historySize: 0 });
  let password: string | null = null;
  lines.once('line', (line) => {
    password = line === '' ? null : line;
    lines.close();
  });
  lines.once('SIGINT', () => {
    lines.close();
  });
  await once(lines, 'close');
  if (terminal) stderr.write('\n');
  return password;
}
