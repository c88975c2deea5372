import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { offerTerminalCures } from './commands/offerCures.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { showConfigProblems } from './configDiagnostics.ts';
import { mcpProviderId, viewId } from './contributions.ts';
import { createLink } from './createLink.ts';
import { Passwords } from './passwords.ts';
import { McpProvider } from './mcpProvider.ts';
import { ProjectStore } from './projectStore.ts';
import { fillTerminals } from './terminalEnvironment.ts';
import { keepTimesTrue } from './views/agentTimes.ts';
import { Documents } from './views/documents.ts';
import { ProjectTree } from './views/projectTree.ts';
import { createStatusBarItem } from './views/statusBarItem.ts';
import { showViewState } from './views/viewState.ts';
import { watchPostgres } from './watchPostgres.ts';
import { watchWindow } from './watchWindow.ts';

/** Registers everything and waits for nothing: connecting to the daemon, or starting it, happens in the background. */
export function activate(context: vscode.ExtensionContext): void {
  const home = homedir();
  const store = new ProjectStore();
  const passwords = new Passwords(context.secrets);
  const link = createLink(context, store, passwords);
  const tree = new ProjectTree(store, home, (params) => link.call('listProjects', params));
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: tree, showCollapseAll: true });
  const documents = new Documents();
  const { version } = context.extension.packageJSON as { version: string };
  const mcpProvider = new McpProvider(store, link, version);
  context.subscriptions.push(
    ...[store, tree, view, documents, mcpProvider],
    createStatusBarItem(store, home),
    showViewState(store, view, home),
    registerCommands({ link, store, passwords, tree, view, documents, home }),
    watchWindow(store, link),
    watchPostgres(store, link, view),
    showConfigProblems(store, link),
    vscode.lm.registerMcpServerDefinitionProvider(mcpProviderId, mcpProvider),
    fillTerminals({ variables: context.environmentVariableCollection, store, link, onRefused: offerTerminalCures }),
    keepTimesTrue(store, view, tree),
    {
      dispose: () => {
        link.close();
      },
    },
  );
}
