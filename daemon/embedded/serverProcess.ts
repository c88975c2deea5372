import type { Account } from './serverHome.ts';

/** How every program of the server is started. */
export interface ServerProcessOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  windowsHide: boolean;
  uid?: number;
  gid?: number;
}

/**
 * @param cwd a folder that the account can enter: root's own working directory usually is not one
 */
export function serverProcessOptions(account: Account | null, cwd: string): ServerProcessOptions {
  return {
    cwd,
    // The server outlives its starter, so it gets none of the secrets in the starter's environment, and no PG*
    // variable that would change its settings. LC_ALL keeps the messages in the one language that is matched on.
    env: { ...pick(['PATH', 'SystemRoot', 'windir', 'TEMP', 'TMP']), LC_ALL: 'C', TZ: 'UTC' },
    windowsHide: true,
    ...(account ?? {}),
  };
}

function pick(names: string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
