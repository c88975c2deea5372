import * as vscode from 'vscode';
import { visible } from '../../daemon/protocol/visibleText.ts';
import type { ListParams } from '../../daemon/protocol/methods.ts';
import type { ProjectPage } from '../../daemon/protocol/model.ts';
import { commandIds } from '../contributions.ts';
import type { ProjectStore } from '../projectStore.ts';
import { escapeMarkdown } from './inertText.ts';
import { ProjectPages } from './projectPages.ts';
import { allProjectsId, treeNodes, type TreeNode } from './treeNodes.ts';
import { welcomeOf } from './welcome.ts';

/** Draws the snapshot; only the list of all projects is read from the daemon, page by page and when it is opened. */
export class ProjectTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #store: ProjectStore;
  readonly #home: string;
  readonly #pages: ProjectPages;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscription: { dispose(): void };
  readonly onDidChangeTreeData = this.#changed.event;
  #filter = '';

  constructor(store: ProjectStore, home: string, list: (params: ListParams) => Promise<ProjectPage>) {
    this.#store = store;
    this.#home = home;
    this.#pages = new ProjectPages(list);
    this.#subscription = store.onDidChange((state) => {
      this.#pages.noticeChange(state.snapshot);
      this.#changed.fire();
    });
  }

  get filter(): string {
    return this.#filter;
  }

  setFilter(filter: string): void {
    this.#filter = filter;
    this.#pages.reset();
    this.#changed.fire();
  }

  /** Shows one page more of all projects. */
  loadMore(): void {
    this.#pages.wantMore();
    this.#changed.fire();
  }

  /** Reads the list of all projects again: something was done to one of them. */
  refresh(): void {
    this.#pages.reset();
    this.#changed.fire();
  }

  /** Draws the same state again, as time has passed. */
  redraw(): void {
    this.#changed.fire();
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (node?.id === allProjectsId) return this.#pages.nodes(this.#filter).catch(failureNodes);
    if (node) return node.children ?? [];
    return this.roots();
  }

  /** The rows at the top, as they are drawn; empty while a welcome stands there. */
  roots(): TreeNode[] {
    const { state } = this.#store;
    const view = { home: this.#home, now: new Date(), filter: this.#filter };
    return welcomeOf(state, view) === 'none' ? treeNodes(state, view) : [];
  }

  getParent(node: TreeNode): TreeNode | null {
    return parentOf(node, this.roots());
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const item = new vscode.TreeItem(visible(node.label), collapsibleStates[node.state ?? 'leaf']);
    item.id = node.id;
    if (node.description !== undefined) item.description = visible(node.description);
    if (node.context !== undefined) item.contextValue = node.context;
    if (node.icon !== undefined) item.iconPath = iconOf(node.icon, node.color);
    if (node.tooltip !== undefined) item.tooltip = new vscode.MarkdownString(node.tooltip);
    item.accessibilityInformation = { label: visible(node.spoken ?? `${node.label} ${node.description ?? ''}`.trim()) };
    if (node.context === 'more') item.command = { command: commandIds.loadMore, title: node.label };
    return item;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}

function failureNodes(error: unknown): TreeNode[] {
  const message = error instanceof Error ? error.message : String(error);
  const tooltip = escapeMarkdown(message);
  return [{ id: 'projects/failure', label: message, icon: 'error', color: 'list.errorForeground', tooltip }];
}

const collapsibleStates = {
  open: vscode.TreeItemCollapsibleState.Expanded,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  leaf: vscode.TreeItemCollapsibleState.None,
};

function iconOf(icon: string, color: string | undefined): vscode.ThemeIcon {
  return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}

function parentOf(node: TreeNode, roots: readonly TreeNode[]): TreeNode | null {
  for (const root of roots) {
    if (root.children?.some(({ id }) => id === node.id)) return root;
    const found = root.children ? parentOf(node, root.children) : null;
    if (found) return found;
  }
  return null;
}
