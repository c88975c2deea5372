import * as vscode from 'vscode';
import { givenAddress } from '../daemon/client/localDaemon.ts';
import type { GivenAddress } from '../daemon/protocol/control.ts';
import { settingIds } from './contributions.ts';

/** What this window says about PostgreSQL: the environment first, then the setting. No password is in the setting. */
export function windowAddress(environment: NodeJS.ProcessEnv): GivenAddress {
  const given = givenAddress(null, environment);
  const url = vscode.workspace.getConfiguration().get<string>(settingIds.postgresUrl, '').trim();
  return given.url === null && url !== '' ? { ...given, url, source: 'setting' } : given;
}

/** Whether a change of the settings makes the window say something else about PostgreSQL. */
export function changesAddress(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(settingIds.postgresUrl);
}

/** Whether VS Code's own agents are offered the endpoint. */
export function offersMcp(): boolean {
  return vscode.workspace.getConfiguration().get(settingIds.mcpEnabled, true);
}

/** Whether new terminals get the project's PG… variables. */
export function fillsTerminals(): boolean {
  return vscode.workspace.getConfiguration().get(settingIds.terminalEnvironment, false);
}
