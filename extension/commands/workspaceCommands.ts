import * as vscode from 'vscode';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { explanation } from '../views/explanation.ts';
import { messageText } from '../views/inertText.ts';
import { askName, chooseFolder, chooseProject, proposedName } from './chooseTarget.ts';
import type { Command } from './commandContext.ts';

/** Makes a project for a folder: its config file and its database. */
export const initialize: Command = async (context, target) => {
  const title = 'Initialize Workspace Project';
  const folder = await chooseFolder(context, target, title);
  if (!folder) return null;
  const name = await askName(title, proposedName(folder.name));
  if (name === null) return null;
  return said(await context.link.call('createProject', { name, directory: folder.path }));
};

/** Binds a folder to a project that is there already. */
export const useExisting: Command = async (context, target) => {
  const title = 'Use Existing Project';
  const folder = await chooseFolder(context, target, title);
  if (!folder) return null;
  const project = await chooseProject(context, undefined, title);
  if (!project) return null;
  return said(await context.link.call('useProject', { project: project.id, directory: folder.path }));
};

/** On a conflict: the folder takes the project that has the name already. */
export const shareDatabase: Command = async ({ link }, target) => {
  const details = target?.resolution?.error?.details;
  const project = (details?.['project'] ?? (details?.['projects'] as unknown[] | undefined)?.[0]) as
    { id: string } | undefined;
  if (!target?.folder || !project) return null;
  return said(await link.call('useProject', { project: project.id, directory: target.folder.path }));
};

/** On a name that is taken: the folder takes the project that has it, and gives up its own. */
export const useThatProject: Command = async ({ link }, target) => {
  if (!target?.folder || !target.project) return null;
  return said(await link.call('useProject', { project: target.project.name, directory: target.folder.path }));
};

export const manageTrust: Command = async () => {
  await vscode.commands.executeCommand('workbench.trust.manage');
  return null;
};

/** Asks anew, as opening the folder did: this makes what is missing. */
export const resolveAgain: Command = async (context, target) => {
  const folder = await chooseFolder(context, target, 'Resolve Again');
  if (!folder) return null;
  return said(await context.link.call('resolve', { directory: folder.path }));
};

/** Opens a document that says which project this is, and why. */
export const explain: Command = async (context, target) => {
  const folder = await chooseFolder(context, target, 'Explain Resolution');
  if (!folder) return null;
  const answer = await context.link.call('resolve', { directory: folder.path, dryRun: true });
  const text = explanation(answer, folder, { home: context.home, now: new Date() });
  await context.documents.show(`Why ${answer.project?.name ?? folder.name}`, text);
  return null;
};

/** What a resolution says in one line; one that was refused is thrown, to be shown with what to do. */
function said(resolution: Resolution): string | null {
  const { project, error, created, warnings } = resolution;
  if (!project) {
    if (error) throw new RegistrarError(error);
    return null;
  }
  const gone = warnings.find(({ code }) => code === 'DATABASE_RECREATED');
  // The one thing that nobody may overlook: what was in the database is lost.
  if (gone) void vscode.window.showWarningMessage(messageText(gone.message));
  return `${project.name}: ${project.databaseName} ${created ? 'created' : 'ready'}`;
}
