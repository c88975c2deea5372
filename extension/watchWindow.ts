import * as vscode from 'vscode';
import { FirstResolves } from './firstResolves.ts';
import type { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import { changesDaemon } from './settings.ts';
import { messageText } from './views/inertText.ts';
import { watchConfigs } from './watchConfigs.ts';
import type { WorkspaceFolder } from './windowState.ts';

/** Tells store and daemon what the window has open, and resolves each trusted folder's project once. */
export function watchWindow(store: ProjectStore, link: DaemonLink): vscode.Disposable {
  const firstResolves = new FirstResolves(
    (directory) => link.call('resolve', { directory }),
    ({ message, hint }) => void vscode.window.showErrorMessage(messageText(`${message} ${hint}`)),
  );
  const ignore = (): void => undefined;
  const tell = (isNewClient: boolean): void => {
    store.update({ folders: openFolders(), isTrusted: vscode.workspace.isTrusted });
    // The link itself reports failures.
    link.renew(isNewClient).catch(ignore);
    if (store.state.folders.length > 0) link.open();
  };
  const look = (): void => {
    if (store.state.isTrusted) link.call('look', undefined).catch(ignore);
  };
  tell(false);
  return vscode.Disposable.from(
    store.onDidChange((state) => {
      firstResolves.update(state);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      tell(false);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      tell(true);
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesDaemon(event)) tell(true);
    }),
    watchConfigs(store, look),
  );
}

/** Folders that the daemon can see: those of this machine's file system. */
function openFolders(): WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ name, uri }) => ({ name, path: uri.fsPath }));
}
