import * as vscode from 'vscode';
import { messageText } from '../views/inertText.ts';
import { askName, chooseProject, type ProjectChoice } from './chooseTarget.ts';
import type { Command, CommandContext } from './commandContext.ts';

/** Makes a project that no folder has yet. */
export const createProject: Command = async ({ link }) => {
  const name = await askName('Create Project', '');
  if (name === null) return null;
  const { project } = await link.call('createProject', { name });
  return `${name}: ${project?.databaseName ?? 'database'} created`;
};

export const renameProject: Command = async (context, target) => {
  const project = await chooseProject(context, target, 'Rename Project');
  if (!project) return null;
  const name = await askName(`Rename ${project.name}`, project.name);
  if (name === null || name === project.name) return null;
  await context.link.call('updateProject', { project: project.id, name });
  return `${project.name} is ${name} now; its database is the same`;
};

/** Registers a database that is there already. */
export const adoptDatabase: Command = async ({ link }, target) => {
  const known = target?.database ?? target?.resolution?.error?.details?.['database'];
  const database =
    typeof known === 'string'
      ? known
      : await vscode.window.showInputBox({
          title: 'Adopt Database',
          prompt: 'A database of this server that no project has',
          placeHolder: 'cb_proj_shop_1f2e3d4c',
          ignoreFocusOut: true,
        });
  if (database === undefined || database.trim() === '') return null;
  const { project } = await link.call('adoptDatabase', { database: database.trim() });
  return `${project?.name ?? database}: ${database} adopted`;
};

/** Takes a project out of the registry; its database stays as it is. */
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
  return `${project.name} is forgotten; ${databaseName} is untouched`;
};

/** Destroys a project and its database, after a question that names the database. */
export const dropDatabase: Command = async (context, target) => {
  const project = await chooseProject(context, target, 'Drop Database');
  if (!project || !(await confirmsDrop(context, project))) return null;
  const confirm = project.databaseName;
  const { databaseName } = await context.link.call('dropProject', { project: project.id, confirm });
  return `${databaseName} is dropped`;
};

async function confirmsDrop({ store }: CommandContext, { name, databaseName }: ProjectChoice): Promise<boolean> {
  const server = store.state.snapshot?.server?.address;
  const detail = `Project ${name}${server === undefined ? '' : ` on ${server}`}. Everything in the database is destroyed. This cannot be undone.`;
  const drop = `Drop ${databaseName}`;
  const choice = await vscode.window.showWarningMessage(
    messageText(`Drop database ${databaseName}?`),
    { modal: true, detail: messageText(detail) },
    drop,
  );
  return choice === drop;
}
