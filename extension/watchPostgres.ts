import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { RegistrarError } from '../daemon/protocol/registrarError.ts';
import { commandIds, contextKeys } from './contributions.ts';
import type { DaemonLink } from './daemonLink.ts';
import { isContainer, speaksPostgres } from './localPostgres.ts';
import type { ProjectStore } from './projectStore.ts';
import { messageText } from './views/inertText.ts';
import { missingPassword } from './views/missingPassword.ts';
import type { WindowState } from './windowState.ts';

/** For a server on this machine, which answers at once or is busy, ms. */
const answerMs = 1500;

/** Notices a server on this machine while none is chosen, and a password that the daemon lacks. */
export function watchPostgres(
  store: ProjectStore,
  link: Pick<DaemonLink, 'call'>,
  view: Pick<vscode.TreeView<unknown>, 'onDidChangeVisibility'>,
): vscode.Disposable {
  const set = (key: string, value: boolean): void => {
    void vscode.commands.executeCommand('setContext', key, value);
  };
  set(contextKeys.isContainer, isContainer(process.env, vscode.env.remoteName, existsSync('/.dockerenv')));
  let isLookedFor = false;
  const look = async (state: WindowState, again: boolean): Promise<void> => {
    const isWanted = state.isTrusted && state.snapshot?.error?.code === 'POSTGRES_NOT_CHOSEN';
    if (isWanted === isLookedFor && !(again && isWanted)) return;
    isLookedFor = isWanted;
    if (isWanted) set(contextKeys.hasLocalPostgres, await speaksPostgres('localhost', 5432, answerMs));
  };
  const asked = new Set<string>();
  return vscode.Disposable.from(
    store.onDidChange((state) => {
      void look(state, false);
      const missing = missingPassword(state);
      if (missing === null || asked.has(missing)) return;
      asked.add(missing);
      void askForPassword(missing, link);
    }),
    view.onDidChangeVisibility(({ visible }) => {
      if (visible) void look(store.state, true);
    }),
  );
}

/** Once for a server and window, and only when what this window knows is refused, too: the tree goes on offering it. */
async function askForPassword(address: string, link: Pick<DaemonLink, 'call'>): Promise<void> {
  const isRefused = await link.call('listProjects', { limit: 1 }).then(
    () => false,
    (error: unknown) => error instanceof RegistrarError && error.code === 'CREDENTIALS_REQUIRED',
  );
  if (!isRefused) return;
  const enter = 'Enter Password…';
  const chosen = await vscode.window.showWarningMessage(
    messageText(`PostgreSQL at ${address} requires a password.`),
    enter,
  );
  if (chosen === enter) await vscode.commands.executeCommand(commandIds.enterPassword);
}
