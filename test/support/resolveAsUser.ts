import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Resolution } from '../../daemon/protocol/model.ts';
import type { Settings } from '../../daemon/protocol/settings.ts';
import type { WindowFolder } from '../../daemon/resolution/trust.ts';

export interface ChildRequest {
  url: string;
  stateFolder: string;
  home: string;
  settings: Settings;
  windows: WindowFolder[];
  directory: string;
}

const child = join(import.meta.dirname, 'resolveChild.ts');

/** Whether this process may become another user, and that user may read the checkout. */
export function canResolveAs(uid: number): boolean {
  if (process.getuid?.() !== 0) return false;
  const look = `require('node:fs').readFileSync(${JSON.stringify(child)})`;
  return spawnSync(process.execPath, ['-e', look], { uid, gid: uid, cwd: '/' }).status === 0;
}

/** Resolves in a process of another user: trust depends on who the daemon is. */
export async function resolveAs(uid: number, request: ChildRequest): Promise<Resolution> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(request)], {
    uid,
    gid: uid,
    cwd: '/',
    env: { HOME: request.home },
  });
  return JSON.parse(stdout) as Resolution;
}
