import * as vscode from 'vscode';
import { viewId } from '../contributions.ts';
import type { ProjectStore } from '../projectStore.ts';
import { statusBarText } from './statusBarText.ts';

/** The one status bar item: the project of the folder that somebody works in; a click reveals the tree. */
export function createStatusBarItem(store: ProjectStore, home: string): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('registrar.project', vscode.StatusBarAlignment.Left, 50);
  item.name = 'Registrar';
  item.command = `${viewId}.focus`;
  const draw = (): void => {
    const shown = statusBarText(store.state, activeFolder(), { home, now: new Date() });
    if (!shown) {
      item.hide();
      return;
    }
    item.text = shown.text;
    item.tooltip = shown.tooltip;
    item.accessibilityInformation = { label: shown.accessibilityLabel };
    item.backgroundColor = backgrounds[shown.severity];
    item.show();
  };
  return vscode.Disposable.from(item, store.onDidChange(draw), vscode.window.onDidChangeActiveTextEditor(draw));
}

/** The path of the active editor's workspace folder. */
export function activeFolder(): string | null {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return (uri && vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath) ?? null;
}

const backgrounds = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};
