import * as vscode from 'vscode';
import type { ErrorCode } from '../../daemon/protocol/codes.ts';
import type { UseParams } from '../../daemon/protocol/methods.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { proposeName } from '../../daemon/protocol/names.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { conflictChoice } from '../views/conflictChoice.ts';
import { explanation } from '../views/explanation.ts';
import { messageText } from '../views/inertText.ts';
import { askStep } from './askStep.ts';
import { bindFolder } from './bindFolder.ts';
import { askName, chooseFolder, chooseProject, nameProblem } from './chooseTarget.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { openConfig } from './openConfig.ts';

/** Makes a project for a folder: its config file and its database. */
export const initialize: Command = async (context, target) => {
  const title = 'Initialize Workspace Project';
  const folder = await chooseFolder(context, target, title);
  if (!folder) return null;
  const name = await askName(title, proposeName(folder.name));
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
  return bind(context, { project: project.id, directory: folder.path }, title);
};

/** On a conflict: the folder takes the project that has the name already. */
export const shareDatabase: Command = async (context, target) => {
  const title = 'Share Its Database';
  if (!target?.folder) return null;
  // A quick fix in the config names the project itself.
  if (target.project) return bind(context, { project: target.project.id, directory: target.folder.path }, title);
  if (!target.resolution) return null;
  const { directory, share } = conflictChoice(target.resolution, target.folder);
  return share && bind(context, { project: share.project, directory, ...(share.local ? { local: true } : {}) }, title);
};

/** On a conflict: the folder gets a project of its own, and no file changes; else the config says which. */
export const chooseAnotherName: Command = async (context, target) => {
  if (!target?.folder || !target.resolution) return openConfig(context, target);
  const { directory, proposal } = conflictChoice(target.resolution, target.folder);
  if (proposal === null) return openConfig(context, target);
  const made = await askStep({
    title: 'Choose Another Name',
    prompt: 'A name for a separate project with its own database. No file changes.',
    value: proposal,
    check: async (name) => {
      const problem = nameProblem(name);
      if (problem !== null) return { problem };
      try {
        return { value: await context.link.call('createProject', { name, directory, local: true }) };
      } catch (error) {
        // Another name is the cure; the question stays open for it.
        if (!(error instanceof RegistrarError) || !ofNames.has(error.code)) throw error;
        return { problem: messageText(error.message) };
      }
    },
  });
  return made && said(made);
};

const ofNames: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['PROJECT_CONFLICT', 'NAME_INVALID']);

/** On a name that is taken: the folder takes the project that has it, and gives up its own. */
export const useThatProject: Command = async (context, target) => {
  if (!target?.folder || !target.project) return null;
  return bind(context, { project: target.project.name, directory: target.folder.path }, 'Use That Project');
};

async function bind({ link }: CommandContext, params: UseParams, title: string): Promise<string | null> {
  const bound = await bindFolder(
    params,
    (given) => link.call('useProject', given),
    (question) => askStep({ title, ...question }),
  );
  return bound && said(bound);
}

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
