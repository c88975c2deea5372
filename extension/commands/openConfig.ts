import * as vscode from 'vscode';
import type { Command, CommandContext } from './commandContext.ts';
import { chooseFolder } from './chooseTarget.ts';

/**
 * Opens the config file of a folder: the one that decided, else the nearest from the active editor's file upward to the
 * workspace folder.
 */
export const openConfig: Command = async (context, target) => {
  const folder = await chooseFolder(context, target, 'Open Config');
  if (!folder) return null;
  const top = vscode.Uri.file(folder.path);
  const active = target ? undefined : vscode.window.activeTextEditor?.document.uri;
  const isInside = active && vscode.workspace.getWorkspaceFolder(active)?.uri.fsPath === folder.path;
  const decided = target?.resolution?.configPath;
  const config =
    typeof decided === 'string'
      ? vscode.Uri.file(decided)
      : await findConfig(isInside ? vscode.Uri.joinPath(active, '..') : top, top);
  if (!config) return `No .codebase-mcp/config.json in ${folder.name}`;
  const editor = await vscode.window.showTextDocument(config);
  const start = faultIn(context, config) ?? nameIn(editor.document);
  if (!start) return null;
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(editor.selection);
  return null;
};

/** Where the daemon says that the file is wrong. */
function faultIn({ store }: CommandContext, config: vscode.Uri): vscode.Position | null {
  const errors = (store.state.snapshot?.folders ?? []).flatMap(({ resolution }) => resolution?.error ?? []);
  const { line, column } = errors.find(({ details }) => details?.['path'] === config.fsPath)?.details ?? {};
  if (typeof line !== 'number' || typeof column !== 'number') return null;
  return new vscode.Position(line - 1, column - 1);
}

/** The name is what people most often come for. */
function nameIn(document: vscode.TextDocument): vscode.Position | null {
  const match = /"name"\s*:\s*"/.exec(document.getText());
  return match && document.positionAt(match.index + match[0].length);
}

async function findConfig(start: vscode.Uri, top: vscode.Uri): Promise<vscode.Uri | undefined> {
  let directory = start;
  for (;;) {
    const candidate = vscode.Uri.joinPath(directory, '.codebase-mcp', 'config.json');
    if (await isFile(candidate)) return candidate;
    const parent = vscode.Uri.joinPath(directory, '..');
    if (directory.path === top.path || parent.path === directory.path) return undefined;
    directory = parent;
  }
}

async function isFile(uri: vscode.Uri): Promise<boolean> {
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File) !== 0;
  } catch {
    return false;
  }
}
