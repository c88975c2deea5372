import * as vscode from 'vscode';
import type { ProjectStore } from '../projectStore.ts';
import type { ProjectTree } from './projectTree.ts';
import type { TreeNode } from './treeNodes.ts';
import { untilOtherTime } from './words.ts';

/** Draws the tree again when it says of an agent how long ago it was and that is no longer true; nobody is asked for it. */
export function keepTimesTrue(
  store: ProjectStore,
  view: vscode.TreeView<TreeNode>,
  tree: Pick<ProjectTree, 'redraw'>,
): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    const agents = store.state.snapshot?.agents ?? [];
    if (!view.visible || agents.length === 0) return;
    const now = new Date();
    const waitMs = Math.min(...agents.map(({ lastSeenAt }) => untilOtherTime(lastSeenAt, now)));
    timer = setTimeout(() => {
      tree.redraw();
      wait();
    }, waitMs);
  };
  return vscode.Disposable.from(
    store.onDidChange(wait),
    view.onDidChangeVisibility(({ visible }) => {
      if (visible) tree.redraw();
      wait();
    }),
    {
      dispose: () => {
        clearTimeout(timer);
      },
    },
  );
}
