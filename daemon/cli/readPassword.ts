import type { CliContext } from './cliContext.ts';
import { readLine } from './readLine.ts';

/**
 * The password from whoever runs the command: typed without echo on a terminal, else the first line of standard input.
 *
 * @returns null when none was given (an empty line, the end of the input, or Ctrl-C)
 */
export async function readPassword({ stdin, stderr }: CliContext, prompt: string): Promise<string | null> {
  const terminal = stdin.isTTY === true;
  stderr.write(terminal ? prompt : 'Reading the password from standard input…\n');
  // On a terminal, readline echoes what is typed: that is dropped here.
  const password = await readLine(stdin, '', () => undefined);
  if (terminal) stderr.write('\n');
  return password === '' ? null : password;
}
