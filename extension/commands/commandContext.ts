import type * as vscode from 'vscode';
import type { DaemonLink } from '../daemonLink.ts';
import type { ProjectStore } from '../projectStore.ts';
import type { ProjectTree } from '../views/projectTree.ts';
import type { TreeNode } from '../views/treeNodes.ts';
import type { Documents } from '../views/documents.ts';

/** What commands work with. */
export interface CommandContext {
  /** Shows progress while the daemon works. */
  link: Pick<DaemonLink, 'call' | 'restart'>;
  store: ProjectStore;
  tree: ProjectTree;
  view: vscode.TreeView<TreeNode>;
  documents: Documents;
  home: string;
}

/**
 * @param target the row of the tree that the command was chosen on; absent from the palette
 * @returns what happened, one line; null when there is nothing to say, as after a cancelled question
 * @throws RegistrarError, which is shown with what to do
 */
export type Command = (context: CommandContext, target?: TreeNode) => Promise<string | null>;
