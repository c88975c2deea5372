import type { Command } from 'commander';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';

/** `mcp`: what an agent starts that speaks over standard input and output. */
export function addMcpCommand(program: Command, session: CliSession): void {
  program
    .command('mcp')
    .description('serve one agent over standard input and output (MCP), through the daemon')
    .option('--directory <dir>', 'the folder that the agent works in (default: what its environment names)', saying)
    .addHelpText('after', '\nExample:\n  $ registrar mcp --directory ~/shop')
    .action(async (options: { directory?: string }) => {
      const { directory } = options;
      // A variable that the agent did not replace is no path to make absolute.
      const isPath = directory !== undefined && !directory.includes('${');
      await session.context.forwardAgent(isPath ? session.directory(directory) : null);
    });
}
