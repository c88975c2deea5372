import { access, readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigReader } from '../config/configCache.ts';
import { isTracked } from '../config/gitTracked.ts';
import { createConfig, writeConfigEdits } from '../config/writeConfig.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import type { ConfigIdPort } from '../registry/ports.ts';
import type { ConfigFiles } from './projectCommands.ts';

/** Writes a project's id into one config file, as far as the setting `registrar.config.writeId` lets it. */
export function idWriter(
  path: string,
  writeId: Settings['registrar.config.writeId'],
  reader: ConfigReader,
): ConfigIdPort {
  return {
    async readId() {
      return (await reader.read(path)).id;
    },
    async writeId(id) {
      if (writeId === 'never') return { kind: 'failed', reason: 'registrar.config.writeId is "never"' };
      if (writeId === 'untracked' && (await isTracked(path))) {
        return { kind: 'failed', reason: 'git tracks the file, and registrar.config.writeId is "untracked"' };
      }
      try {
        const written = await writeConfigEdits(path, (config) =>
          config.id === null ? [{ key: 'project.id', value: id }] : [],
        );
        if (written.failure) return { kind: 'failed', reason: written.failure.message };
        if (written.config.id !== null && written.config.id !== id) return { kind: 'other', id: written.config.id };
        return { kind: 'written' };
      } catch (error) {
        if (error instanceof RegistrarError) return { kind: 'failed', reason: error.message };
        throw error;
      }
    },
  };
}

/** The config files of folders, as the commands on projects make, edit and withdraw them. */
export function configFiles(reader: ConfigReader): ConfigFiles {
  const created = new Map<string, Buffer>();
  return {
    async realFolder(directory) {
      try {
        const folder = await realpath(directory);
        if ((await stat(folder)).isDirectory()) return folder;
      } catch {
        // Falls through: missing and not a folder are the same to the caller.
      }
      throw new RegistrarError({
        code: 'DIRECTORY_INVALID',
        message: `${directory} is not a folder.`,
        hint: 'Name an existing folder.',
        details: { directory },
      });
    },
    pathIn: (folder) => join(folder, '.codebase-mcp', 'config.json'),
    read: (path) => reader.read(path),
    exists,
    async create(folder, project) {
      const result = await createConfig(folder, project);
      if (result.created) created.set(result.path, await readFile(result.path));
      return result;
    },
    edit: writeConfigEdits,
    async withdraw(path) {
      const written = created.get(path);
      created.delete(path);
      // What somebody has changed since is theirs.
      const now = await readFile(path).catch(() => null);
      if (now === null || !written?.equals(now)) return;
      await rm(path);
      // The folder that was made for it, unless it holds something else.
      await rmdir(dirname(path)).catch(() => undefined);
    },
  };
}

/** Whether there is anything at the path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
