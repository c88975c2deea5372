import * as vscode from 'vscode';
import type { ListedProject } from '../../daemon/protocol/model.ts';
import { checkName } from '../../daemon/protocol/names.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { labelText } from '../views/inertText.ts';
import { activeFolder } from '../views/statusBarItem.ts';
import type { TreeNode } from '../views/treeNodes.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import type { CommandContext } from './commandContext.ts';

export type ProjectChoice = NonNullable<TreeNode['project']>;

/** The folder of the row, else of the active editor, else the only one, else the one that is picked; null when none was. */
export async function chooseFolder(
  { store }: CommandContext,
  target: TreeNode | undefined,
  title: string,
): Promise<WorkspaceFolder | null> {
  const { folders } = store.state;
  if (target?.folder) return target.folder;
  const active = activeFolder();
  const found = folders.find(({ path }) => path === active) ?? (folders.length === 1 ? folders[0] : undefined);
  if (found) return found;
  if (folders.length === 0) throw noFolder();
  const items = folders.map((folder) => ({
    label: labelText(folder.name),
    description: labelText(folder.path),
    folder,
  }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Which folder?' });
  return picked?.folder ?? null;
}

/** The project of the row, else the one that is picked out of the whole registry; null when none was. */
export async function chooseProject(
  { link }: CommandContext,
  target: TreeNode | undefined,
  title: string,
): Promise<ProjectChoice | null> {
  if (target?.project) return target.project;
  return pickProject(
    (query) => link.call('listProjects', { query, limit: 100 }).then(({ projects }) => projects),
    title,
  );
}

type ProjectItem = vscode.QuickPickItem & { project: ProjectChoice };

/** A quick pick that asks the registry for what is typed, since it may be far longer than a list can be. */
function pickProject(
  search: (query: string | null) => Promise<ListedProject[]>,
  title: string,
): Promise<ProjectChoice | null> {
  return new Promise((resolve, reject) => {
    const picker = vscode.window.createQuickPick<ProjectItem>();
    picker.title = title;
    picker.placeholder = 'Which project?';
    let asked = 0;
    const load = (query: string): void => {
      asked += 1;
      const mine = asked;
      picker.busy = true;
      search(query === '' ? null : query).then(
        (projects) => {
          // An answer that another search has overtaken.
          if (mine !== asked) return;
          picker.busy = false;
          picker.items = projects.map((project) => ({
            label: labelText(project.name),
            description: labelText(project.databaseName),
            project,
          }));
        },
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
          picker.dispose();
        },
      );
    };
    picker.onDidChangeValue(load);
    picker.onDidAccept(() => {
      resolve(picker.selectedItems[0]?.project ?? null);
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve(null);
      picker.dispose();
    });
    load('');
    picker.show();
  });
}

/** Asks for a project's name until it is one; null when the question was cancelled. */
export async function askName(title: string, proposal: string): Promise<string | null> {
  const name = await vscode.window.showInputBox({
    title,
    prompt: 'The project’s name',
    value: proposal,
    ignoreFocusOut: true,
    validateInput: (value) => nameProblem(value),
  });
  return name ?? null;
}

/** What is wrong with a name, and what would be right; null when nothing is. */
export function nameProblem(name: string): string | null {
  const check = checkName(name);
  return check.ok ? null : `The name ${check.reason}. Try “${check.proposal}”.`;
}

function noFolder(): RegistrarError {
  return new RegistrarError({
    code: 'DIRECTORY_INVALID',
    message: 'No folder is open.',
    hint: 'Open a folder, then try again.',
  });
}
