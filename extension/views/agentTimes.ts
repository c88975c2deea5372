import * as vscode from 'vscode';
import type { ProjectStore } from '../projectStore.ts';
import type { ProjectTree } from './projectTree.ts';
import type { TreeNode } from './treeNodes.ts';
import { untilOtherTime } from './words.ts';

/** Redraws the tree when the time that it shows for an agent is out of date; asks nobody. */
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
