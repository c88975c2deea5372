import * as vscode from 'vscode';
import { givenAddress } from '../daemon/client/localDaemon.ts';
import type { GivenAddress } from '../daemon/protocol/control.ts';
import type { WindowSettings } from '../daemon/protocol/settings.ts';
import { settingIds } from './contributions.ts';
import { daemonSettings, readDaemonSettings } from './daemonSettings.ts';
import type { Passwords } from './passwords.ts';

/** What this window says about PostgreSQL: the environment first, then the setting. No password is in the setting. */
export async function windowAddress(environment: NodeJS.ProcessEnv, passwords: Passwords): Promise<GivenAddress> {
  const given = givenAddress(null, environment);
  const url = postgresUrl();
  if (given.url !== null || url === '') return given;
  const password = await passwords.of(url);
  const variables = password === null ? given.variables : { ...given.variables, PGPASSWORD: password };
  return { url, source: 'setting', variables };
}

/** The setting; empty for none. */
export function postgresUrl(): string {
  return vscode.workspace.getConfiguration().get<string>(settingIds.postgresUrl, '').trim();
}

/** @param url without password; null for none */
export async function setPostgresUrl(url: string | null): Promise<void> {
  const configuration = vscode.workspace.getConfiguration();
  await configuration.update(settingIds.postgresUrl, url ?? undefined, vscode.ConfigurationTarget.Global);
}

/** What the daemon is to do for everybody, as far as a person set it in VS Code. */
export class DaemonSettings {
  readonly #everSet = new Set<string>();

  /** One that was taken back since the window opened is given with its default. */
  read(): WindowSettings {
    const configuration = vscode.workspace.getConfiguration();
    const values: Record<string, unknown> = {};
    for (const id of daemonSettings) {
      const { globalValue, defaultValue } = configuration.inspect(id) ?? {};
      if (globalValue !== undefined) this.#everSet.add(id);
      if (this.#everSet.has(id)) values[id] = globalValue ?? defaultValue;
    }
    return readDaemonSettings(values);
  }
}

/** Whether a change of the settings changes what the window sends to the daemon. */
export function changesDaemon(event: vscode.ConfigurationChangeEvent): boolean {
  return [settingIds.postgresUrl, ...daemonSettings].some((id) => event.affectsConfiguration(id));
}

/** Whether VS Code's own agents are offered the endpoint. */
export function offersMcp(): boolean {
  return vscode.workspace.getConfiguration().get(settingIds.mcpEnabled, true);
}

/** Whether new terminals get the project's PG… variables. */
export function fillsTerminals(): boolean {
  return vscode.workspace.getConfiguration().get(settingIds.terminalEnvironment, false);
}
