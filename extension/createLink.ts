import path from 'node:path';
import * as vscode from 'vscode';
import { localStateFolder, windowClient } from '../daemon/client/localDaemon.ts';
import { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import { windowAddress } from './settings.ts';

/** This window's link to the daemon, which is the command that comes with the extension; what it says goes into the store. */
export function createLink({ extension }: vscode.ExtensionContext, store: ProjectStore): DaemonLink {
  const { version } = extension.packageJSON as { version: string };
  const script = path.join(extension.extensionPath, 'dist', 'registrar.cjs');
  return new DaemonLink({
    newClient: ({ folders, onSnapshot }, mayStart) => {
      const environment = process.env;
      const stateFolder = localStateFolder(environment);
      let shown: vscode.Disposable | undefined;
      const onProgress = (message: string): void => {
        // Only the latest step: those before are done.
        shown?.dispose();
        shown = vscode.window.setStatusBarMessage(`$(sync~spin) ${message}`, 5000);
      };
      const side = { folders, address: windowAddress(environment), mayStart, onSnapshot, onProgress };
      return windowClient({ stateFolder, version, environment, script }, side);
    },
    folders: () => store.state.folders.map(({ path: folder }) => ({ path: folder, trusted: store.state.isTrusted })),
    mayStart: () => store.state.isTrusted,
    onSnapshot: (snapshot) => {
      store.update({ snapshot, daemonError: null });
    },
    onError: (error) => {
      store.update(error ? { daemonError: error, snapshot: null } : { daemonError: null });
    },
  });
}
