import * as vscode from 'vscode';

/** Sets one of the user's settings; undefined takes it back. */
export async function set(id: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration().update(id, value, vscode.ConfigurationTarget.Global);
}
