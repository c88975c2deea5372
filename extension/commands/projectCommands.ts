import * as vscode from 'vscode';
import { messageText } from '../views/inertText.ts';
import type { TreeNode } from '../views/treeNodes.ts';
import { askName, chooseProject, type ProjectChoice } from './chooseTarget.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { actingOn, RefusedOn } from './refusedOn.ts';

/** Creates a project without a folder. */
export const createProject: Command = async ({ link, tree }) => {
  const name = await askName('Create Project', '');
  if (name === null) return null;
  const { project } = await link.call('createProject', { name });
  tree.refresh();
  return `${name}: ${project?.databaseName ?? 'database'} created`;
};

export const renameProject: Command = async (context, target) => {
  const project = await chooseProject(context, target, 'Rename Project');
  if (!project) return null;
  const name = await askName(`Rename ${project.name}`, project.name);
  if (name === null || name === project.name) return null;
  await context.link.call('updateProject', { project: project.id, name });
  context.tree.refresh();
  return `Renamed ${project.name} to ${name}; its database is the same`;
};

/** Registers an existing database. */
export const adoptDatabase: Command = async ({ link, tree }, target) => {
  const refusal = target?.refusal ?? target?.resolution?.error;
  const known = target?.database ?? refusal?.details?.['database'];
  const database =
    typeof known === 'string'
      ? known
      : await vscode.window.showInputBox({
          title: 'Adopt Database',
          prompt: 'A database on this server without a project',
          placeHolder: 'cb_proj_shop_1f2e3d4c',
          ignoreFocusOut: true,
        });
  if (database === undefined || database.trim() === '') return null;
  const { project } = await link.call('adoptDatabase', { database: database.trim() });
  tree.refresh();
  return `${project?.name ?? database}: ${database} adopted`;
};

/** Removes a project from the registry; its database stays as it is. */
export const forgetProject: Command = async (context, target) => {
  const project = await chooseProject(context, target, 'Forget Project');
  if (!project) return null;
  const detail = `Its database ${project.databaseName} stays as it is. Adopt Database brings the project back.`;
  const choice = await vscode.window.showWarningMessage(
    messageText(`Forget project ${project.name}?`),
    { modal: true, detail: messageText(detail) },
    'Forget',
  );
  if (choice !== 'Forget') return null;
  const { databaseName } = await context.link.call('forgetProject', { project: project.id });
  context.tree.refresh();
  return `${project.name} is forgotten; ${databaseName} is untouched`;
};

/** Puts an empty database in the place of one that is gone, after a question that names it. */
export const remakeDatabase: Command = async (context, target) => {
  if (!target?.project) return null;
  const { id, name, databaseName } = target.project;
  const detail = `Project ${name}${onServer(context)}. This database is gone, and its data with it; the new one is empty. If you have a backup, restore that instead.`;
  const remake = 'Make It Again, Empty';
  const choice = await vscode.window.showWarningMessage(
    messageText(`Make database ${databaseName} again, empty?`),
    { modal: true, detail: messageText(detail) },
    remake,
  );
  if (choice !== remake) return null;
  const answer = await actingOn(target, () =>
    context.link.call('remakeProject', { project: id, confirm: databaseName }),
  );
  if (answer.error) throw new RefusedOn(answer.error, target);
  return `${name}: ${databaseName} made again, empty`;
};

/** Destroys a project and its database, after a question that names the database. */
export const dropDatabase: Command = async (context, target) => {
  const project = await chooseProject(context, target, 'Drop Database');
  if (!project || !(await confirmsDrop(context, project))) return null;
  const confirm = project.databaseName;
  const { databaseName } = await actingOn(rowOf(project), () =>
    context.link.call('dropProject', { project: project.id, confirm }),
  ).finally(() => {
    // Also where it was refused: the list may have been read while the project was being dropped.
    context.tree.refresh();
  });
  return `${databaseName} is dropped`;
};

function rowOf(project: ProjectChoice): TreeNode {
  return { id: `project:${project.id}`, label: project.name, project };
}

function onServer({ store }: CommandContext): string {
  const server = store.state.snapshot?.server?.address;
  return server === undefined ? '' : ` on ${server}`;
}

async function confirmsDrop(context: CommandContext, { name, databaseName }: ProjectChoice): Promise<boolean> {
  const detail = `Project ${name}${onServer(context)}. Everything in the database is destroyed. This cannot be undone.`;
  const drop = `Drop ${databaseName}`;
  const choice = await vscode.window.showWarningMessage(
    messageText(`Drop database ${databaseName}?`),
    { modal: true, detail: messageText(detail) },
    drop,
  );
  return choice === drop;
}
