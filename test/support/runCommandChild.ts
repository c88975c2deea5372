import { CommandNotRun } from '../../daemon/cli/exec/commandNotRun.ts';
import { runCommand } from '../../daemon/cli/exec/runCommand.ts';

/** node runCommandChild.ts replace|beside COMMAND ARGUMENTS…: ends with the command's status, as `registrar exec` does. */
const [how, command = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = await runCommand(command, args, process.env, () => how === 'replace');
} catch (error) {
  if (!(error instanceof CommandNotRun)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.status;
}
