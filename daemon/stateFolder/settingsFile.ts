import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import { named } from '../protocol/visibleText.ts';
import { writePrivateFile } from '../wire/stateFolder.ts';
import { osErrorCode } from '../files/osError.ts';

/** `settings.json` of the state folder. */
export interface SettingsFile {
  /** What it says; the defaults where it says nothing or is not there. Throws INVALID_ARGUMENT when it is damaged. */
  read(): Promise<Settings>;
  /**
   * Changes it, whoever else changes it at the same time; keys that this version does not know stay.
   *
   * @returns the settings as they are now
   * @throws RegistrarError `INVALID_ARGUMENT` when it is damaged (it stays as it is), `INTERNAL` when another process
   *   keeps it locked
   */
  update(change: (settings: Settings) => Settings): Promise<Settings>;
}

/** @param path of the file; its folder exists already. */
export function settingsFile(path: string): SettingsFile {
  return {
    async read() {
      return (await readSettings(path)).settings;
    },
    async update(change) {
      const giveUpAt = Date.now() + lockLimitMs;
      while (Date.now() < giveUpAt) {
        const changed = await withLock(`${path}.lock`, giveUpAt, async (stillHeld) => {
          const { settings, raw } = await readSettings(path);
          const wanted = change(settings);
          // A lock can be lost to somebody who took it for an abandoned one.
          if (!(await stillHeld())) return null;
          await writePrivateFile(path, `${JSON.stringify({ ...raw, ...wanted }, null, 2)}\n`);
          return wanted;
        });
        if (changed !== null) return changed;
      }
      throw locked(path);
    },
  };
}

const settingsSchema = z.object({
  postgres: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('bundled') }),
      z.object({ kind: z.literal('url'), url: z.string().min(1) }),
    ])
    .nullable()
    .default(null)
    .describe('The chosen PostgreSQL, without password. Chosen with `registrar postgres`.'),
  trustedFolders: z
    .array(z.string())
    .default([])
    .describe('Real paths of folders whose config files count whoever owns them. Changed with `registrar trust`.'),
  'registrar.postgres.projectSchema': z
    .string()
    .nullable()
    .default(null)
    .describe('Path of an idempotent SQL file that every project database gets, in one transaction.'),
  'registrar.postgres.ownerRole': z
    .string()
    .nullable()
    .default(null)
    .describe('The role that owns new project databases, so that a team shares them.'),
  'registrar.workflow.url': z
    .string()
    .nullable()
    .default(null)
    .describe('The workflow server that Registrar asks for the active project if no config file names one.'),
  'registrar.defaultProject.enabled': z
    .boolean()
    .default(false)
    .describe('Whether a folder without a project gets the shared project `default`.'),
  'registrar.config.writeId': z
    .enum(['always', 'untracked', 'never'])
    .default('untracked')
    .describe('Whether a project’s id is written into its config file; `untracked`: only if git does not track it.'),
  'registrar.daemon.idleMinutes': z
    .number()
    .positive()
    .max(10_000)
    .default(10)
    .describe('Minutes without window, agent or work after which the daemon exits.'),
  'registrar.mcp.enabled': z
    .boolean()
    .default(true)
    .describe('Whether agents are served over HTTP; over stdio they always are.'),
  'registrar.mcp.tools': z
    .enum(['standard', 'all'])
    .default('standard')
    .describe('Which tools agents see: those for work in a project, or also those that manage projects.'),
}) satisfies z.ZodType<Settings>;

/** The JSON schema of the settings file, with what each key means. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(settingsSchema, { target: 'draft-7', io: 'input' });
}

async function readSettings(path: string): Promise<{ settings: Settings; raw: Record<string, unknown> }> {
  const text = await readText(path);
  if (text === null) return { settings: settingsSchema.parse({}), raw: {} };
  let raw: unknown;
  try {
    raw = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's message repeats a piece of the text, which could be a password that somebody wrote there by hand.
    throw damaged(path, 'it is not JSON');
  }
  const parsed = settingsSchema.safeParse(raw);
  if (parsed.success) return { settings: parsed.data, raw: raw as Record<string, unknown> };
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('/')}: `;
  throw damaged(path, `${where}${issue?.message ?? 'wrong content'}`);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return null;
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
}

const lockLimitMs = 10_000;
/** Holding takes milliseconds: a lock of this age was left by a process that was killed. */
const abandonedAfterMs = 3_000;

/**
 * Runs something while no other process does; null if the lock was not free in time. A lock file rather than a second
 * read before the rename, because another writer's update between that read and the rename would be lost.
 */
async function withLock<T>(
  path: string,
  giveUpAt: number,
  run: (stillHeld: () => Promise<boolean>) => Promise<T>,
): Promise<T | null> {
  const token = randomUUID();
  // A process that was suspended while it held the lock finds another's token here when it wakes.
  const stillHeld = async (): Promise<boolean> => (await readText(path)) === token;
  while (!(await tryLock(path, token))) {
    if (Date.now() >= giveUpAt) return null;
    await removeIfAbandoned(path);
    await delay(5 + Math.random() * 20);
  }
  try {
    return await run(stillHeld);
  } finally {
    if (await stillHeld()) await rm(path, { force: true });
  }
}

async function tryLock(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (osErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfAbandoned(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < abandonedAfterMs) return;
    // Renamed, not removed: of several who see the same old lock only one succeeds.
    const aside = `${path}.${randomUUID()}`;
    await rename(path, aside);
    await rm(aside, { force: true });
  } catch (error) {
    if (osErrorCode(error) !== 'ENOENT') throw error;
  }
}

function damaged(path: string, reason: string): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `The settings file ${named(path)} cannot be used: ${reason}. It was left as it is.`,
    hint: `Correct ${named(path)}, or move it away to start with the defaults.`,
  });
}

function locked(path: string): RegistrarError {
  return new RegistrarError({
    code: 'INTERNAL',
    message: `Another process keeps ${named(path)} locked.`,
    hint: 'Try again. If it keeps happening, end the registrar process that hangs.',
  });
}
