import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';
import type { ProjectStore } from '../projectStore.ts';
import { badgeCount, type TreeNode } from './treeNodes.ts';
import { welcomeOf } from './welcome.ts';
import { counted } from './words.ts';

/** Keeps up to date what VS Code draws around the tree: the badge, and the keys that welcomes and commands depend on. */
export function showViewState(store: ProjectStore, view: vscode.TreeView<TreeNode>, home: string): { dispose(): void } {
  const shown = new Map<string, unknown>();
  const setKey = (key: string, value: unknown): void => {
    if (shown.get(key) === value) return;
    shown.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  const draw = (): void => {
    const { state } = store;
    const now = new Date();
    const count = badgeCount(state, { home, now, filter: '' });
    view.badge = count === 0 ? undefined : { value: count, tooltip: `${counted(count, 'thing')} to look at` };
    setKey(contextKeys.welcome, welcomeOf(state, { home, now }));
    setKey(contextKeys.isReady, state.isTrusted && state.snapshot?.server !== null && state.snapshot !== null);
    const hasProject = state.snapshot?.folders.some(({ resolution }) => resolution?.project) ?? false;
    setKey(contextKeys.hasProject, state.isTrusted && hasProject);
    setKey(contextKeys.hasAgent, (state.snapshot?.agents.length ?? 0) > 0);
  };
  draw();
  void hasPsql().then((found) => {
    setKey(contextKeys.hasPsql, found);
  });
  return store.onDidChange(draw);
}

async function hasPsql(): Promise<boolean> {
  const program = process.platform === 'win32' ? 'psql.exe' : 'psql';
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const found = await Promise.all(
    folders.map((folder) =>
      access(path.join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
