import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';
import type { ProjectTree } from '../views/projectTree.ts';
import { allProjectsId } from '../views/treeNodes.ts';
import type { Command } from './commandContext.ts';

/** Narrows the list of all projects to names that contain a text. */
export const filterProjects: Command = async ({ tree, view }) => {
  const filter = await vscode.window.showInputBox({
    title: 'Filter Projects',
    prompt: 'Part of a name; leave empty for all',
    value: tree.filter,
  });
  if (filter === undefined) return null;
  await setFilter(tree, filter.trim());
  const list = tree.roots().find(({ id }) => id === allProjectsId);
  if (list) await view.reveal(list, { expand: true, select: false });
  return null;
};

export const clearFilter: Command = async ({ tree }) => {
  await setFilter(tree, '');
  return null;
};

async function setFilter(tree: ProjectTree, filter: string): Promise<void> {
  tree.setFilter(filter);
  await vscode.commands.executeCommand('setContext', contextKeys.isFiltered, filter !== '');
}

export const loadMore: Command = ({ tree }) => {
  tree.loadMore();
  return Promise.resolve(null);
};
