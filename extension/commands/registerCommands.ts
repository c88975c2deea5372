import * as vscode from 'vscode';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { commandIds, viewId, type CommandId } from '../contributions.ts';
import { labelText, messageText } from '../views/inertText.ts';
import type { TreeNode } from '../views/treeNodes.ts';
import { connectAgent, copyMcpAddress, rotateAgentToken } from './agentCommands.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { restartDaemon, showLog } from './daemonCommands.ts';
import { copyConnectionString, openPsql, testConnection } from './databaseCommands.ts';
import { offerCures } from './offerCures.ts';
import { openConfig } from './openConfig.ts';
import {
  enterPassword,
  setPostgres,
  useBundled,
  useDaemonAddress,
  useLocalPostgres,
  useThisAddress,
} from './postgresCommands.ts';
import {
  adoptDatabase,
  createProject,
  dropDatabase,
  forgetProject,
  remakeDatabase,
  renameProject,
} from './projectCommands.ts';
import { RefusedOn } from './refusedOn.ts';
import { checkDrift, repairDrift, syncNow } from './syncCommands.ts';
import { clearFilter, filterProjects, loadMore } from './treeCommands.ts';
import {
  chooseAnotherName,
  copyStatement,
  explain,
  initialize,
  manageTrust,
  removeBinding,
  resolveAgain,
  shareDatabase,
  startAnew,
  useExisting,
  useThatProject,
} from './workspaceCommands.ts';

const commands: Record<CommandId, Command> = {
  [commandIds.initialize]: initialize,
  [commandIds.useExisting]: useExisting,
  [commandIds.resolveAgain]: resolveAgain,
  [commandIds.explain]: explain,
  [commandIds.openConfig]: openConfig,
  [commandIds.syncNow]: syncNow,
  [commandIds.checkDrift]: checkDrift,
  [commandIds.repairDrift]: repairDrift,
  [commandIds.createProject]: createProject,
  [commandIds.renameProject]: renameProject,
  [commandIds.adoptDatabase]: adoptDatabase,
  [commandIds.forgetProject]: forgetProject,
  [commandIds.dropDatabase]: dropDatabase,
  [commandIds.openPsql]: openPsql,
  [commandIds.copyConnectionString]: copyConnectionString,
  [commandIds.testConnection]: testConnection,
  [commandIds.restartDaemon]: restartDaemon,
  [commandIds.showLog]: showLog,
  [commandIds.filterProjects]: filterProjects,
  [commandIds.clearFilter]: clearFilter,
  [commandIds.setPostgres]: setPostgres,
  [commandIds.useBundled]: useBundled,
  [commandIds.connectAgent]: connectAgent,
  [commandIds.copyMcpAddress]: copyMcpAddress,
  [commandIds.rotateAgentToken]: rotateAgentToken,
  [commandIds.manageTrust]: manageTrust,
  [commandIds.tryNow]: syncNow,
  [commandIds.useThatProject]: useThatProject,
  [commandIds.startAnew]: startAnew,
  [commandIds.remakeDatabase]: remakeDatabase,
  [commandIds.shareDatabase]: shareDatabase,
  [commandIds.removeBinding]: removeBinding,
  [commandIds.copyStatement]: copyStatement,
  [commandIds.chooseAnotherName]: chooseAnotherName,
  [commandIds.renameThis]: renameProject,
  [commandIds.giveUp]: forgetProject,
  [commandIds.loadMore]: loadMore,
  [commandIds.useLocalPostgres]: useLocalPostgres,
  [commandIds.enterPassword]: enterPassword,
  [commandIds.useDaemonAddress]: useDaemonAddress,
  [commandIds.useThisAddress]: useThisAddress,
};

/** Registers every command of the manifest, each wrapped the same way: progress on the view, then a line or an error. */
export function registerCommands(given: CommandContext): vscode.Disposable {
  const context = { ...given, link: showingProgress(given.link) };
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([id, command]) =>
      vscode.commands.registerCommand(id, (target?: TreeNode) => run(id as CommandId, command, context, target)),
    ),
  );
}

/** While the daemon works, but not while a person thinks about a question. */
function showingProgress(link: CommandContext['link']): CommandContext['link'] {
  const show = <T>(work: () => Promise<T>): Promise<T> =>
    Promise.resolve(vscode.window.withProgress({ location: { viewId } }, work));
  return {
    call: (method, params) => show(() => link.call(method, params)),
    restart: (reason) => show(() => link.restart(reason)),
    renew: (isNewClient) => show(() => link.renew(isNewClient)),
  };
}

/** A result line stays in the status bar as long as it takes to read it, ms. */
const resultMs = 8000;

/** @returns the result line, for other extensions and for tests */
async function run(
  id: CommandId,
  command: Command,
  context: CommandContext,
  target?: TreeNode,
): Promise<string | null> {
  // Commands of the palette get whatever the caller passes; only rows of the tree are meant.
  const row = typeof target?.id === 'string' ? target : undefined;
  try {
    const result = await command(context, row);
    if (result !== null) vscode.window.setStatusBarMessage(`$(check) ${labelText(result)}`, resultMs);
    return result;
  } catch (error) {
    void showError(error, id, row);
    return null;
  }
}

async function showError(error: unknown, failed: CommandId, target?: TreeNode): Promise<void> {
  if (!(error instanceof RegistrarError)) {
    void vscode.window.showErrorMessage(messageText(error instanceof Error ? error.message : String(error)));
    return;
  }
  const row = error instanceof RefusedOn ? error.row : target;
  await offerCures(error.toReport(), failed, row);
}
