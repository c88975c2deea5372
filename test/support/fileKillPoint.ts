import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Ends this process with SIGKILL at one of the calls that change files. */
export interface FileKillPlan {
  /** Counted from 1. */
  at: number;
  when: 'before' | 'after';
}

let plan: FileKillPlan | null = null;
const calls: string[] = [];

/** The calls that changed files since the kill point was set up. */
export function fileCalls(): string[] {
  return calls;
}

/**
 * From now on counts every call that changes a file, a folder or what is durable of them, and kills this process at the
 * planned one. Of calls that block it counts those that name a file. The modules under test know nothing of it.
 */
export async function setFileKillPoint(planned: FileKillPlan | null): Promise<void> {
  plan = planned;
  const { promises } = fs;
  const probe = await promises.open(join(tmpdir(), '.'), 'r');
  const handle = Object.getPrototypeOf(probe) as Record<string, unknown>;
  await probe.close();
  const modules = promises as unknown as Record<string, unknown>;
  for (const name of ['rename', 'link', 'symlink', 'unlink', 'rm', 'rmdir', 'mkdir', 'writeFile', 'chmod'])
    wrap(modules, name, ([path]) => basename(String(path)));
  // Opening a file to read it changes nothing.
  wrap(modules, 'open', ([path, flags]) => (isWriting(flags) ? basename(String(path)) : null));
  for (const name of ['writeFile', 'write', 'appendFile', 'truncate', 'sync', 'datasync', 'chmod', 'chown'])
    wrap(handle, name, () => 'handle');
  const blocking = fs as unknown as Record<string, unknown>;
  for (const name of ['renameSync', 'linkSync', 'unlinkSync', 'mkdirSync']) wrapBlocking(blocking, name);
  syncBuiltinESMExports();
}

function wrapBlocking(owner: Record<string, unknown>, name: string): void {
  const original = owner[name] as (...parameters: unknown[]) => unknown;
  owner[name] = function (this: unknown, ...parameters: unknown[]): unknown {
    calls.push(`${name} ${basename(String(parameters[0]))}`);
    const when = calls.length === plan?.at ? plan.when : null;
    if (when === 'before') process.kill(process.pid, 'SIGKILL');
    try {
      return original.apply(this, parameters);
    } finally {
      if (when === 'after') process.kill(process.pid, 'SIGKILL');
    }
  };
}

function wrap(owner: Record<string, unknown>, name: string, subject: (parameters: unknown[]) => string | null): void {
  const original = owner[name] as (...parameters: unknown[]) => Promise<unknown>;
  owner[name] = async function (this: unknown, ...parameters: unknown[]): Promise<unknown> {
    const what = subject(parameters);
    if (what === null) return original.apply(this, parameters);
    calls.push(`${name} ${what}`);
    const when = calls.length === plan?.at ? plan.when : null;
    if (when === 'before') return end();
    const result = await original.apply(this, parameters);
    return when === 'after' ? end() : result;
  };
}

function isWriting(flags: unknown): boolean {
  if (typeof flags === 'string') return /[wax+]/.test(flags);
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  return typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0;
}

function end(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
