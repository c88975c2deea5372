import * as vscode from 'vscode';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { chooseFolder } from './chooseTarget.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { actingOn, RefusedOn, refusedIn } from './refusedOn.ts';
import { psqlEnvironment } from '../terminalVariables.ts';
import type { TreeNode } from '../views/treeNodes.ts';

/** Opens a terminal in the project's database. */
export const openPsql: Command = async (context, target) => {
  const connection = await connectionOf(context, target, 'Open in psql');
  if (!connection) return null;
  const { project, environment } = connection;
  // Strict, since the variables of the window's terminals would be put over these.
  const env = psqlEnvironment(environment, process.env);
  vscode.window.createTerminal({ name: `psql ${project}`, shellPath: 'psql', env, strictEnv: true }).show();
  return null;
};

export const copyConnectionString: Command = async (context, target) => {
  const connection = await connectionOf(context, target, 'Copy Connection String');
  if (!connection) return null;
  const url = connection.environment['DATABASE_URL'] ?? '';
  await vscode.env.clipboard.writeText(url);
  const hasPassword = (connection.environment['PGPASSWORD'] ?? '') !== '';
  return `Copied the address of ${connection.database}${hasPassword ? '; it contains the password' : ''}`;
};

/** Asks the registry, regardless of what is remembered. */
export const testConnection: Command = async ({ link }) => {
  const server = await link.call('server', undefined);
  await link.call('listProjects', { limit: 1 });
  await link.call('look', undefined);
  return `${server.address} answers`;
};

async function connectionOf(
  context: CommandContext,
  target: TreeNode | undefined,
  title: string,
): Promise<{ project: string; database: string; environment: Record<string, string> } | null> {
  const isListed = target?.project !== undefined && target.folder === undefined;
  const folder = isListed ? null : await chooseFolder(context, target, title);
  if (!isListed && !folder) return null;
  const asked = isListed ? { project: target.project?.id ?? null } : { directory: folder?.path ?? null };
  const row = target ?? { id: 'folder', label: title };
  const { resolution, environment } = await actingOn(row, () => context.link.call('connection', asked));
  const { project, error } = resolution;
  if (project && environment) return { project: project.name, database: project.databaseName, environment };
  const report = error ?? noProject;
  throw folder ? refusedIn(folder, resolution, report) : new RefusedOn(report, row);
}

const noProject: ErrorReport = {
  code: 'UNRESOLVED',
  message: 'This folder has no project.',
  hint: 'Initialize Workspace Project.',
};
