import * as vscode from 'vscode';

/**
 * Opens the config file of the active editor's workspace folder; without such an editor, of the only folder, or of the
 * one that the user picks. Looks from the active file's folder upward to the workspace folder.
 */
export async function openConfig(): Promise<void> {
  const active = vscode.window.activeTextEditor?.document.uri;
  const activeFolder = active && vscode.workspace.getWorkspaceFolder(active);
  const folder = activeFolder ?? (await chooseFolder());
  if (!folder) return;

  const start = active && activeFolder ? vscode.Uri.joinPath(active, '..') : folder.uri;
  const config = await findConfig(start, folder.uri);
  if (config) await vscode.window.showTextDocument(config);
  else void vscode.window.showInformationMessage(`No .codebase-mcp/config.json in ${folder.name}.`);
}

async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) void vscode.window.showInformationMessage('No folder is open.');
  if (folders.length <= 1) return folders[0];
  return vscode.window.showWorkspaceFolderPick({ placeHolder: 'Open the config of which folder?' });
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
