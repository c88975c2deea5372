import { readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigReader } from '../config/configCache.ts';
import { configsInCheckout } from '../config/configsInCheckout.ts';
import { gitTracking } from '../git/gitCheckout.ts';
import { createConfig, writeConfigEdits } from '../config/writeConfig.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import { named } from '../protocol/visibleText.ts';
import type { ConfigIdPort } from '../registry/ports.ts';
import type { ConfigFiles } from './projectCommands.ts';
import { isThere } from '../files/isThere.ts';

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
      if (writeId === 'never') return { kind: 'not-meant' };
      const tracking = writeId === 'untracked' ? await gitTracking(path) : 'untracked';
      if (tracking === 'tracked') return { kind: 'not-meant' };
      if (tracking !== 'untracked') {
        return {
          kind: 'failed',
          reason: 'Registrar cannot tell whether git tracks the file, because it cannot read the repository',
        };
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

/** The config files of folders, as the commands on projects create, edit and remove them. */
export function configFiles(reader: ConfigReader, limits: { home: string }): ConfigFiles {
  const created = new Map<string, Buffer>();
  return {
    async realFolder(directory) {
      const folder = await realpath(directory).catch(() => null);
      const isFolder = folder !== null && (await stat(folder).catch(() => null))?.isDirectory();
      if (!isFolder) throw directoryInvalid(directory, 'is not a folder', 'Name an existing folder.');
      // A config file there would never be read.
      const home = await realpath(limits.home).catch(() => limits.home);
      const what = folder === home ? 'the home folder' : dirname(folder) === folder ? 'the root folder' : null;
      if (what === null) return folder;
      throw directoryInvalid(directory, `is ${what}, which cannot have a project`, 'Name a folder in it.');
    },
    pathIn: (folder) => join(folder, '.codebase-mcp', 'config.json'),
    read: (path, vouch) => reader.read(path, { vouch }),
    exists: isThere,
    async create(folder, project) {
      const result = await createConfig(folder, project);
      if (result.created) created.set(result.path, await readFile(result.path));
      return result;
    },
    edit: writeConfigEdits,
    async withdraw(path) {
      const written = created.get(path);
      created.delete(path);
      // A file that somebody has changed since is theirs.
      const now = await readFile(path).catch(() => null);
      if (now === null || !written?.equals(now)) return;
      await rm(path);
      // The folder that was created for it, unless it contains something else.
      await rmdir(dirname(path)).catch(() => undefined);
    },
  };
}

function directoryInvalid(directory: string, what: string, hint: string): RegistrarError {
  const message = `${named(directory)} ${what}. Nothing was made.`;
  return new RegistrarError({ code: 'DIRECTORY_INVALID', message, hint, details: { directory } });
}

/** Whether no other folder of a checkout has a config with this name; false where the checkout is too large to tell. */
export async function isOnlyConfigNamed(
  root: string,
  folder: string,
  name: string,
  reader: ConfigReader,
): Promise<boolean> {
  const paths = await configsInCheckout(root);
  if (paths === null) return false;
  for (const path of paths) {
    if (dirname(dirname(path)) === folder) continue;
    // One that cannot be read may have any name.
    const config = await reader.read(path).catch(() => null);
    if (config === null || config.name === name) return false;
  }
  return true;
}
