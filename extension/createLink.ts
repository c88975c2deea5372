import path from 'node:path';
import * as vscode from 'vscode';
import { visible } from '../daemon/protocol/visibleText.ts';
import { localStateFolder, windowClient } from '../daemon/client/localDaemon.ts';
import { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import type { Passwords } from './passwords.ts';
import { DaemonSettings, windowAddress } from './settings.ts';
import { labelText } from './views/inertText.ts';

/** This window's link to the daemon, which is the command that comes with the extension; what it says goes into the store. */
export function createLink(
  { extension }: vscode.ExtensionContext,
  store: ProjectStore,
  passwords: Passwords,
): DaemonLink {
  const { version } = extension.packageJSON as { version: string };
  const script = path.join(extension.extensionPath, 'dist', 'registrar.cjs');
  const settings = new DaemonSettings();
  return new DaemonLink({
    newClient: async ({ folders, onSnapshot }, mayStart) => {
      const environment = process.env;
      const stateFolder = localStateFolder(environment);
      let shown: vscode.Disposable | undefined;
      const onProgress = (message: string): void => {
        // Without a server, the view has nothing else to show, and a download takes a while.
        if (!store.state.snapshot?.server) {
          store.update({ progress: visible(message) });
          return;
        }
        // Only the latest step: those before are done.
        shown?.dispose();
        shown = vscode.window.setStatusBarMessage(`$(sync~spin) ${labelText(message)}`, 5000);
      };
      const address = await windowAddress(environment, passwords);
      const side = { folders, address, settings: settings.read(), mayStart, onSnapshot, onProgress };
      return windowClient({ stateFolder, version, environment, script }, side);
    },
    folders: () => store.state.folders.map(({ path: folder }) => ({ path: folder, trusted: store.state.isTrusted })),
    mayStart: () => store.state.isTrusted,
    onSnapshot: (snapshot) => {
      store.update({ snapshot, daemonError: null, progress: null });
    },
    onError: (error) => {
      store.update(error ? { daemonError: error, snapshot: null, progress: null } : { daemonError: null });
    },
  });
}
