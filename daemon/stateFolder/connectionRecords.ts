import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ConnectionRecord } from '../protocol/agentConnections.ts';
import { agentIds } from '../protocol/agents.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { writePrivateFile } from '../wire/stateFolder.ts';
import { osErrorCode } from '../files/osError.ts';

/** What was added to agents' files: one record file each, so that concurrent commands do not undo each other's work. */
export interface ConnectionRecords {
  /** In the order of the agents' files. Throws INVALID_ARGUMENT when one is damaged. */
  list(): Promise<ConnectionRecord[]>;
  /** Null if nothing was added to this file. Throws INVALID_ARGUMENT if the record is damaged. */
  read(agentFile: string): Promise<ConnectionRecord | null>;
  write(record: ConnectionRecord): Promise<void>;
  remove(agentFile: string): Promise<void>;
}

/** @param folder is made when it is needed; the one above it is there. */
export function connectionRecords(folder: string): ConnectionRecords {
  const pathOf = (agentFile: string): string =>
    join(folder, `${createHash('sha256').update(agentFile).digest('hex').slice(0, 32)}.json`);
  return {
    async list() {
      const names = (await orNothing(readdir(folder))) ?? [];
      const paths = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
      const records = (await Promise.all(paths.map(readRecord))).filter((record) => record !== null);
      return records.sort((one, other) => (one.file < other.file ? -1 : 1));
    },
    read: (agentFile) => readRecord(pathOf(agentFile)),
    async write(record) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writePrivateFile(pathOf(record.file), `${JSON.stringify(record, null, 2)}\n`);
    },
    async remove(agentFile) {
      await rm(pathOf(agentFile), { force: true });
    },
  };
}

const recordSchema = z.object({
  agent: z.enum(agentIds),
  scope: z.enum(['user', 'workspace']),
  file: z.string(),
  transport: z.enum(['stdio', 'http']),
  entry: z.record(z.string(), z.union([z.string(), z.array(z.string()), z.record(z.string(), z.string())])),
  inserted: z.string(),
  madeFile: z.boolean(),
  madeFolders: z.array(z.string()),
  time: z.string(),
}) satisfies z.ZodType<ConnectionRecord>;

async function readRecord(path: string): Promise<ConnectionRecord | null> {
  const text = await orNothing(readFile(path, 'utf8'));
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `Registrar no longer knows what it wrote into an agent's file: ${path} is damaged.`;
    const hint = `Remove Registrar's entry from the agent's file by hand, then ${path}.`;
    throw new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint, details: { path } }, { cause: error });
  }
}

async function orNothing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
