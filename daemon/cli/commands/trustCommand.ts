import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { shown } from '../terminalText.ts';
import type { TextView } from '../terminalText.ts';

/** `trust`: folders whose config files count, whoever owns them. */
export function addTrustCommand(program: Command, session: CliSession): void {
  const { context, output } = session;
  program
    .command('trust')
    .description('trust the config files in a folder and below it, whoever owns them')
    .argument('[dir]', 'the folder (default: the current one)', saying)
    .option('--list', 'only list the trusted folders')
    .option('--remove', 'stop trusting the folder')
    .addHelpText('after', '\nExample:\n  $ registrar trust ~/shared/shop\n  $ registrar trust --list')
    .action(async (dir: string | undefined, options: { list?: true; remove?: true }) => {
      if (options.list) {
        const { trustedFolders } = await context.settings.read();
        output.answer({ trustedFolders }, (view) => listText(trustedFolders, view));
        return;
      }
      const given = session.directory(dir);
      const folder = options.remove ? await realPathOf(given) : await existingFolder(given);
      const { trustedFolders } = await context.settings.update((settings) => {
        const others = settings.trustedFolders.filter(
          (trusted) => trusted !== folder && !(options.remove && trusted === given),
        );
        return { ...settings, trustedFolders: options.remove ? others : [...others, folder] };
      });
      const now = options.remove ? 'no longer trusted' : 'trusted';
      output.answer({ trustedFolders }, ({ home }) => `${shown(folder, home)} is ${now}`);
    });
}

function listText(folders: readonly string[], { home, paint }: TextView): string {
  if (folders.length > 0) return folders.map((folder) => shown(folder, home)).join('\n');
  return `No folder is trusted; only your own config files count.\n${paint('cyan', 'next:')} registrar trust DIR`;
}

async function existingFolder(path: string): Promise<string> {
  const folder = await realPathOf(path);
  const status = await stat(folder).catch(() => null);
  if (!status?.isDirectory()) {
    throw new RegistrarError({
      code: 'DIRECTORY_INVALID',
      message: `${path} is not a folder.`,
      hint: 'Name the folder that contains .codebase-mcp, or one above it.',
    });
  }
  if (dirname(folder) === folder) {
    throw new RegistrarError({
      code: 'DIRECTORY_INVALID',
      message: 'Trusting the root folder would trust every user of this machine.',
      hint: 'Name the folder that contains .codebase-mcp, or one above it.',
    });
  }
  return folder;
}

/** A folder that is gone keeps the path that it was given by, so that it can still be removed. */
async function realPathOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
