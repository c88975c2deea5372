import path from 'node:path';
import * as vscode from 'vscode';
import { localStateFolder } from '../../daemon/client/localDaemon.ts';
import type { Command } from './commandContext.ts';

export const restartDaemon: Command = async ({ link }) => {
  await link.restart('restarted from VS Code');
  const { pid, version } = await link.call('status', undefined);
  return `Daemon ${version} is running as process ${pid}`;
};

/** The log stays on disk when the daemon has gone, so it is found without asking it. */
export const showLog: Command = async () => {
  const log = path.join(localStateFolder(process.env), 'logs', 'registrar.log');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(log));
  const editor = await vscode.window.showTextDocument(document);
  const end = document.lineAt(document.lineCount - 1).range;
  editor.revealRange(end);
  return null;
};
