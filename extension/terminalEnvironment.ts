import * as vscode from 'vscode';
import { settingIds } from './contributions.ts';
import type { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import { fillsTerminals } from './settings.ts';
import { terminalTarget, type TerminalTarget } from './terminalTarget.ts';
import { terminalVariables } from './terminalVariables.ts';

/** Keeps the variables of new terminals those of the window's project, as `registrar env` gives them. */
export function fillTerminals(
  variables: vscode.EnvironmentVariableCollection,
  store: ProjectStore,
  link: Pick<DaemonLink, 'call'>,
): vscode.Disposable {
  // They hold a password where one is known, and are the daemon's to say at every start.
  variables.persistent = false;
  let key = '';
  const fill = async (target: TerminalTarget): Promise<void> => {
    // Only looks: what is missing is made when somebody asks for it.
    const { environment } = await link.call('connection', { directory: target.directory, dryRun: true });
    if (key !== target.key) return;
    variables.clear();
    variables.description = `The database of project ${target.project}`;
    // Refused, such as while the server does not answer: the next change asks again.
    if (!environment) key = '';
    const given = environment ? terminalVariables(environment, process.env) : {};
    for (const [name, value] of Object.entries(given)) variables.replace(name, value);
  };
  const look = (): void => {
    const target = terminalTarget(store.state, fillsTerminals());
    if (target === 'unknown' || (target?.key ?? '') === key) return;
    key = target?.key ?? '';
    variables.clear();
    if (!target) return;
    fill(target).catch(() => {
      // The link says why; the next change asks again.
      if (key === target.key) key = '';
    });
  };
  look();
  return vscode.Disposable.from(
    store.onDidChange(look),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settingIds.terminalEnvironment)) look();
    }),
  );
}
