import * as vscode from 'vscode';
import { allProjectsId } from '../views/treeNodes.ts';
import type { Command } from './commandContext.ts';

/** Narrows the list of all projects to names that contain a text. */
export const filterProjects: Command = async ({ tree, view }) => {
  const filter = await vscode.window.showInputBox({
    title: 'Filter Projects',
    prompt: 'Part of a name; empty for all',
    value: tree.filter,
  });
  if (filter === undefined) return null;
  tree.setFilter(filter.trim());
  const list = tree.roots().find(({ id }) => id === allProjectsId);
  if (list) await view.reveal(list, { expand: true, select: false });
  return null;
};

export const clearFilter: Command = ({ tree }) => {
  tree.setFilter('');
  return Promise.resolve(null);
};

export const loadMore: Command = ({ tree }) => {
  tree.loadMore();
  return Promise.resolve(null);
};
