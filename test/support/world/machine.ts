import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import type { FileIdentity, FolderGit } from '../../../daemon/registry/model.ts';
import type { ConfigIdPort, FolderIdentity, FolderPort } from '../../../daemon/registry/ports.ts';
import type { ConfigSearch, ConfigPort, WorkspaceConfig } from '../../../daemon/resolution/ports.ts';
import type { ConfigFiles } from '../../../daemon/engine/projectCommands.ts';
import { conditions } from './conditions.ts';
import type { Pass } from './passage.ts';

/** What a config file says, as `parseConfig` reads it. */
export type ConfigText = Omit<WorkspaceConfig, 'path' | 'folder'> & {
  /** Why it cannot be written; null where it can. */
  refusesWrites?: string;
  /** Git tracks it: then no id is written into it. */
  isTracked?: boolean;
};

export interface Repository {
  identity: FileIdentity;
  /** Of the one remote that counts, normalised. */
  origins: string[];
  /** How often its config was written. */
  stamp: number;
  /** The main checkout, for a linked worktree. */
  worktreeOf: string | null;
}

export interface WorldFolder {
  identity: FileIdentity;
  repository: Repository | null;
  config: ConfigText | null;
}

const configPath = '/.codebase-mcp/config.json';

/** A machine's folders, with their repositories and config files. */
export class Machine {
  /** The machine's name. */
  host: string;
  readonly folders = new Map<string, WorldFolder>();
  /** Folders on disks that are not mounted: what is below them, nobody can tell. */
  readonly unmounted = new Set<string>();
  #lastInode = 0;

  constructor(host: string) {
    this.host = host;
    this.folder('/work', { isRepository: false });
  }

  /** A folder that is a repository of its own, unless told otherwise. */
  folder(
    path: string,
    { origins = [] as string[], isRepository = true, worktreeOf = null as string | null } = {},
  ): string {
    const repository = isRepository ? { identity: this.#newFile(), origins, stamp: 0, worktreeOf } : null;
    this.folders.set(path, { identity: this.#newFile(), repository, config: null });
    return path;
  }

  /** Writes a config file; what is not said has its default. */
  config(path: string, content: Partial<ConfigText> & { name: string }): string {
    this.at(path).config = {
      id: null,
      databaseName: null,
      autoSwitch: true,
      strictMode: false,
      dryRun: false,
      description: null,
      uid: 1000,
      ...content,
    };
    return path;
  }

  at(path: string): WorldFolder {
    const folder = this.folders.get(path);
    if (!folder) throw new Error(`there is no folder ${path}`);
    return folder;
  }

  /** With all below it, as `mv` does: it stays the same folder. */
  move(from: string, to: string): void {
    for (const [path, folder] of [...this.folders]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.folders.delete(path);
      this.folders.set(to + path.slice(from.length), folder);
    }
  }

  /** As `cp -a` does: everything in it, as other files. */
  copy(from: string, to: string): void {
    const { repository, config } = this.at(from);
    const copied = repository && { ...repository, identity: this.#newFile() };
    this.folders.set(to, { identity: this.#newFile(), repository: copied, config: config && { ...config } });
  }

  remove(path: string): void {
    for (const one of [...this.folders.keys()])
      if (one === path || one.startsWith(`${path}/`)) this.folders.delete(one);
  }

  /** Another repository in the folder's place, or none. */
  replaceRepository(path: string, origins: string[] | null): void {
    this.at(path).repository = origins && { identity: this.#newFile(), origins, stamp: 0, worktreeOf: null };
  }

  /** Another remote of the same repository. */
  setOrigins(path: string, origins: string[]): void {
    const { repository } = this.at(path);
    if (!repository) throw new Error(`${path} is no repository`);
    repository.origins = origins;
    repository.stamp += 1;
  }

  #newFile(): FileIdentity {
    this.#lastInode += 1;
    // No two machines have the same file.
    const device = String(Buffer.from(this.host).reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7));
    return { device, inode: String(this.#lastInode), birth: String(this.#lastInode * 1000) };
  }

  /** The nearest repository at or above a path. */
  repositoryOf(path: string): { root: string; repository: Repository } | null {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const repository = this.folders.get(at)?.repository;
      if (repository) return { root: at, repository };
    }
    return null;
  }

  git(path: string): FolderGit | null {
    const found = this.repositoryOf(path);
    if (!found || !this.folders.has(path)) return null;
    const { root, repository } = found;
    const main = repository.worktreeOf;
    const shared = (main === null ? null : this.folders.get(main)?.repository) ?? repository;
    return {
      origins: [...shared.origins].sort(),
      pathInRepository: path.slice(root.length + 1),
      root,
      repository: { path: `${main ?? root}/.git`, ...shared.identity },
      worktree: main === null ? null : { main, name: root.slice(root.lastIndexOf('/') + 1) },
    };
  }

  find(directory: string): ConfigSearch {
    if (!this.folders.has(directory)) throw noDirectory(directory);
    for (let at = directory; at !== ''; at = parentOf(at)) {
      if (this.folders.get(at)?.config)
        return { kind: 'found', path: at + configPath, folder: at, from: directory, viaWorktreeOf: null };
      const repository = this.folders.get(at)?.repository;
      if (!repository) continue;
      const main = repository.worktreeOf;
      const inMain = main !== null && this.folders.has(main) ? this.find(main) : null;
      if (main === null || inMain?.kind !== 'found')
        return { kind: 'none', from: directory, upTo: at, why: 'repository' };
      return { ...inMain, from: directory, viaWorktreeOf: main, walkedTo: at };
    }
    return { kind: 'none', from: directory, upTo: '/', why: 'root' };
  }

  read(path: string): WorkspaceConfig {
    const folder = path.slice(0, -configPath.length);
    const config = this.folders.get(folder)?.config;
    if (config) {
      const { refusesWrites: _refuses, isTracked: _tracked, ...said } = config;
      return { ...said, path, folder };
    }
    throw new RegistrarError({
      code: 'CONFIG_CHANGED',
      message: `${path} was deleted after it was found.`,
      hint: 'Try again.',
    });
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function noDirectory(directory: string): RegistrarError {
  return new RegistrarError({
    code: 'DIRECTORY_INVALID',
    message: `${directory} does not exist.`,
    hint: 'Name another.',
  });
}

/** A machine's folders behind the rules' port. */
export function worldFolders(machine: Machine, pass: Pass): FolderPort {
  return {
    async exists(path) {
      await pass('folder-exists');
      return machine.folders.has(path);
    },
    async git(path) {
      await pass('git');
      return machine.git(path);
    },
    async identify(path): Promise<FolderIdentity> {
      await pass('identify');
      const folder = machine.folders.get(path);
      const repository = folder ? machine.repositoryOf(path)?.repository : undefined;
      const isFile = repository?.worktreeOf != null;
      return {
        identity: folder?.identity ?? null,
        dotGit: repository?.identity ?? null,
        configStamp: repository && !isFile ? String(repository.stamp) : null,
      };
    },
    async presence(path) {
      await pass('presence');
      if (machine.folders.has(path)) return 'there';
      return machine.unmounted.has(parentOf(path)) || !machine.folders.has(parentOf(path)) ? 'unknown' : 'gone';
    },
    async isOnlyConfigNamed(root, folder, name) {
      await pass('only-config');
      return ![...machine.folders].some(
        ([path, { config }]) => path !== folder && `${path}/`.startsWith(`${root}/`) && config?.name === name,
      );
    },
  };
}

/** A machine's config files behind the ports of resolutions and commands. */
export function worldConfigs(machine: Machine, pass: Pass): { config: ConfigPort; files: ConfigFiles } {
  const idWriter = (path: string): ConfigIdPort => ({
    async readId() {
      await pass('id-read');
      return machine.read(path).id;
    },
    async writeId(id) {
      await pass('id-write');
      const folder = machine.folders.get(path.slice(0, -configPath.length));
      const config = folder?.config;
      if (!config) return { kind: 'failed', reason: `${path} is gone` };
      if (config.isTracked === true) return { kind: 'not-meant' };
      if (config.refusesWrites !== undefined) return { kind: 'failed', reason: config.refusesWrites };
      const kept = conditions.keptId(config) ?? id;
      config.id = kept;
      return kept === id ? { kind: 'written' } : { kind: 'other', id: kept };
    },
  });
  const files: ConfigFiles = {
    async realFolder(directory) {
      if (!machine.folders.has(directory)) throw noDirectory(directory);
      return directory;
    },
    pathIn: (folder) => folder + configPath,
    async read(path, vouch) {
      await pass('config-read');
      const config = machine.read(path);
      await vouch({ folder: config.folder, uid: config.uid });
      return config;
    },
    exists: async (path) => machine.folders.get(path.slice(0, -configPath.length))?.config != null,
    async create(folder, { name, id, description = null }) {
      await pass('config-write');
      const path = folder + configPath;
      if (machine.at(folder).config) return { created: false, path };
      machine.config(folder, { name, id, description });
      return { created: true, path };
    },
    async edit(path, edits) {
      await pass('config-write');
      const current = machine.read(path);
      const made = edits(current);
      const { config } = machine.at(current.folder);
      if (config?.refusesWrites !== undefined)
        return { written: false, failure: { code: 'EACCES', message: config.refusesWrites } };
      for (const { key, value } of made) {
        if (!config) continue;
        if (key === 'project.id') config.id = value;
        else if (key === 'project.name') config.name = value ?? '';
        else config.databaseName = value;
      }
      return { written: made.length > 0, config: machine.read(path) };
    },
    async withdraw(path) {
      machine.at(path.slice(0, -configPath.length)).config = null;
    },
  };
  const config: ConfigPort = {
    async find(directory) {
      await pass('config-find');
      return machine.find(directory);
    },
    read: files.read,
    idWriter,
  };
  return { config, files };
}
