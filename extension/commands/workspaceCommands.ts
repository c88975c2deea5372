import * as vscode from 'vscode';
import type { ErrorCode } from '../../daemon/protocol/codes.ts';
import type { CreateParams, UseParams } from '../../daemon/protocol/methods.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { proposeName } from '../../daemon/protocol/names.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { claimingFolder, conflictChoice } from '../views/conflictChoice.ts';
import { explanation } from '../views/explanation.ts';
import { messageText } from '../views/inertText.ts';
import { statementIn } from '../views/refusals.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { askStep, type Checked } from './askStep.ts';
import { bindFolder } from './bindFolder.ts';
import { askName, chooseFolder, chooseProject, nameProblem } from './chooseTarget.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { openConfig } from './openConfig.ts';
import { actingOn, refusedIn } from './refusedOn.ts';

/** Creates a project for a folder: its config file and its database. */
export const initialize: Command = async (context, target) => {
  const title = 'Initialize Workspace Project';
  const folder = await chooseFolder(context, target, title);
  if (!folder) return null;
  const name = await askName(title, proposeName(folder.name));
  if (name === null) return null;
  return said(folder, await context.link.call('createProject', { name, directory: folder.path }));
};

/** Binds a folder to an existing project. */
export const useExisting: Command = async (context, target) => {
  const title = 'Use Existing Project';
  const folder = await chooseFolder(context, target, title);
  if (!folder) return null;
  const project = await chooseProject(context, undefined, title);
  if (!project) return null;
  return bind(context, folder, { project: project.id, directory: folder.path }, title);
};

/** On a project that somebody dropped: a new one for its folder, which has nothing of the former one. */
export const startAnew: Command = async (context, target) => {
  const folder = await chooseFolder(context, target, 'Start a New Project Here');
  if (!folder) return null;
  // A row that was redrawn while it was clicked carries no data.
  const states = context.store.state.snapshot?.folders ?? [];
  const resolution = target?.resolution ?? states.find(({ path }) => path === folder.path)?.resolution;
  if (!resolution?.error) return initialize(context, target);
  const directory = claimingFolder(resolution, folder);
  const claimed = resolution.error.details?.['name'];
  const made = await askStep({
    title: 'Start a New Project Here',
    prompt: 'The new project’s name. Its database is empty: nothing of the dropped one comes back.',
    value: typeof claimed === 'string' ? claimed : proposeName(folder.name),
    // The config keeps naming its project; another name is this machine's choice.
    check: (name) => tryName(context, { name, directory, ...(name === claimed ? {} : { local: true }) }),
  });
  return made && said(folder, made);
};

/** On a conflict: the folder takes the project that has the name already. */
export const shareDatabase: Command = async (context, target) => {
  const title = 'Share Its Database';
  if (!target?.folder) return null;
  // A quick fix in the config names the project itself.
  const { folder, project, resolution } = target;
  if (project) return bind(context, folder, { project: project.id, directory: folder.path }, title);
  if (!resolution) return null;
  const { directory, share } = conflictChoice(resolution, folder);
  if (!share) return null;
  return bind(context, folder, { project: share.project, directory, ...(share.local ? { local: true } : {}) }, title);
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
    check: (name) => tryName(context, { name, directory, local: true }),
  });
  return made && said(target.folder, made);
};

/** Creates a project; if another name would work, the question stays open for it. */
async function tryName({ link }: CommandContext, params: CreateParams): Promise<Checked<Resolution>> {
  const problem = nameProblem(params.name);
  if (problem !== null) return { problem };
  try {
    return { value: await link.call('createProject', params) };
  } catch (error) {
    if (!(error instanceof RegistrarError) || !ofNames.has(error.code)) throw error;
    return { problem: messageText(error.message) };
  }
}

const ofNames: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['PROJECT_CONFLICT', 'NAME_INVALID']);

/** On a name that is taken: the folder takes the project that has it, and gives up its own. */
export const useThatProject: Command = async (context, target) => {
  if (!target?.folder || !target.project) return null;
  const { folder, project } = target;
  return bind(context, folder, { project: project.name, directory: folder.path }, 'Use That Project');
};

/** On a binding of this machine whose folder another repository has taken over: the config decides again. */
export const removeBinding: Command = async ({ link }, target) => {
  if (!target?.folder || !target.resolution) return null;
  const { folder, resolution } = target;
  const { directory } = conflictChoice(resolution, folder);
  const answer = await link.call('removeBinding', { directory });
  return said(folder, answer) ?? `${folder.name}: binding removed`;
};

/** The statement in the refusal that somebody with the right privileges has to run on the server. */
export const copyStatement: Command = async (_context, target) => {
  const { hint = '' } = target?.refusal ?? target?.resolution?.error ?? {};
  const statement = statementIn(hint);
  if (statement === null) return null;
  await vscode.env.clipboard.writeText(statement);
  return 'Copied. Have it run, then choose Resolve Again';
};

async function bind(
  { link }: CommandContext,
  folder: WorkspaceFolder,
  params: UseParams,
  title: string,
): Promise<string | null> {
  const bound = await bindFolder(
    params,
    (given) => link.call('useProject', given),
    (question) => askStep({ title, ...question }),
  );
  return bound && said(folder, bound);
}

export const manageTrust: Command = async () => {
  await vscode.commands.executeCommand('workbench.trust.manage');
  return null;
};

/** Resolves again, as opening the folder did; this creates what is missing. */
export const resolveAgain: Command = async (context, target) => {
  // A project of the list has no folder here.
  if (target?.project && !target.folder) {
    const { id, name } = target.project;
    const answer = await actingOn(target, () => context.link.call('resolve', { project: id }));
    return said({ name, path: '' }, answer);
  }
  const folder = await chooseFolder(context, target, 'Resolve Again');
  if (!folder) return null;
  return said(folder, await context.link.call('resolve', { directory: folder.path }));
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

/** A resolution in one line; a refused one is thrown, to be shown with what to do. */
function said(folder: WorkspaceFolder, resolution: Resolution): string | null {
  const { project, error, created, warnings } = resolution;
  if (!project) {
    if (error) throw refusedIn(folder, resolution, error);
    return null;
  }
  const gone = warnings.find(({ code }) => code === 'DATABASE_RECREATED');
  // The one thing that nobody may overlook: the database's content is lost.
  if (gone) void vscode.window.showWarningMessage(messageText(gone.message));
  return `${project.name}: ${project.databaseName} ${created ? 'created' : 'ready'}`;
}
