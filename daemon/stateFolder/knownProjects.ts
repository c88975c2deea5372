import { readFile } from 'node:fs/promises';
import type { Folder, RegistryRow } from '../registry/model.ts';
import { folderKey } from '../registry/model.ts';
import type { LookKeys, MemoryPort } from '../registry/ports.ts';
import { readRegistrarMetadata } from '../registry/rowMetadata.ts';
import { writePrivateFile } from '../wire/stateFolder.ts';
import { osErrorCode } from '../files/osError.ts';

interface Known {
  row: RegistryRow;
  /** When the registry last confirmed it, ISO 8601. */
  at: string;
  /** Folders that resolved to it, newest last, by `folderKey`. */
  folders: string[];
}

const maxProjects = 1000;
const maxFolders = 32;
/** Folders that resolved to anything, whatever happened to their projects. */
const maxSeenFolders = 1000;
/** How often, at most, an unchanged project is confirmed on disk. */
const rewriteMs = 60_000;

/**
 * The projects that this daemon has resolved, bounded, in `known.json`. They answer while no server does. Losing the
 * file loses only those answers, so it is written in the background, and a damaged file counts as empty.
 */
export class KnownProjects implements MemoryPort {
  readonly #path: string;
  readonly #registry: string;
  readonly #now: () => Date;
  readonly #known = new Map<string, Known>();
  readonly #seenFolders = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;
  readonly #onFailure: (error: unknown) => void;

  private constructor(path: string, registry: string, now: () => Date, onFailure: (error: unknown) => void) {
    this.#path = path;
    this.#registry = registry;
    this.#now = now;
    this.#onFailure = onFailure;
  }

  /**
   * @param registry server and registry; what was known of another is not used
   * @param onFailure hears of a file that could not be read or written
   */
  static async open(
    path: string,
    registry: string,
    now: () => Date,
    onFailure: (error: unknown) => void,
  ): Promise<KnownProjects> {
    const known = new KnownProjects(path, registry, now, onFailure);
    try {
      known.#load(await readFile(path, 'utf8'));
    } catch (error) {
      if (osErrorCode(error) !== 'ENOENT') onFailure(error);
    }
    return known;
  }

  recall(keys: LookKeys, folder: Folder | null): { row: RegistryRow; at: string } | null {
    const own = keys.id === null ? undefined : this.#known.get(keys.id);
    if (own) return { row: own.row, at: own.at };
    for (const { row, at, folders } of this.#known.values()) {
      const isId = keys.id !== null && (row.id === keys.id || row.registrar.formerIds?.includes(keys.id) === true);
      // A name alone means different projects in different folders: the folder must have resolved to this one.
      const isName = keys.id === null && keys.name === row.name && (!folder || folders.includes(folderKey(folder)));
      if (isId || isName) return { row, at };
    }
    return null;
  }

  remember(row: RegistryRow, folder: Folder | null): void {
    const before = this.#known.get(row.id);
    const key = folder && folderKey(folder);
    const folders =
      key === null ? (before?.folders ?? []) : [...(before?.folders ?? []).filter((other) => other !== key), key];
    const now = this.#now();
    const isNews =
      before?.row.name !== row.name ||
      before.row.databaseName !== row.databaseName ||
      (key !== null && !before.folders.includes(key)) ||
      now.getTime() - Date.parse(before.at) > rewriteMs;
    this.#known.delete(row.id);
    this.#known.set(row.id, { row, at: isNews ? now.toISOString() : before.at, folders: folders.slice(-maxFolders) });
    this.#bound();
    if (key !== null) this.#see(key);
    if (isNews) this.#write();
  }

  forget(id: string): void {
    if (this.#known.delete(id)) this.#write();
  }

  /** Paths of the folders of one machine that have resolved to a project, even to one that is gone by now. */
  foldersOn(host: string): string[] {
    const prefix = folderKey({ host, path: '' });
    return [...this.#seenFolders].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  /** The ids of all projects that are known. */
  ids(): string[] {
    return [...this.#known.keys()];
  }

  /**
   * Updates everything that is known from the registry, because other daemons rename, re-key and forget too.
   *
   * @param asked the ids that the registry was asked for
   * @param rows what it has of them
   * @returns how many were not as they were known
   */
  refresh(asked: readonly string[], rows: readonly RegistryRow[]): number {
    const rowsById = new Map(rows.map((row) => [row.id, row]));
    let changed = 0;
    for (const id of asked) {
      const known = this.#known.get(id);
      const row = rowsById.get(id);
      if (!known) continue;
      if (!row) {
        this.#known.delete(id);
        changed += 1;
        continue;
      }
      if (row.name !== known.row.name || row.databaseName !== known.row.databaseName) changed += 1;
      this.#known.set(id, { ...known, row, at: this.#now().toISOString() });
    }
    if (changed > 0) this.#write();
    return changed;
  }

  /** Resolves when what is known is on disk. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #bound(): void {
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxProjects) break;
      this.#known.delete(oldest);
    }
  }

  #see(key: string): void {
    this.#seenFolders.delete(key);
    this.#seenFolders.add(key);
    for (const oldest of this.#seenFolders) {
      if (this.#seenFolders.size <= maxSeenFolders) break;
      this.#seenFolders.delete(oldest);
    }
  }

  /** One write at a time; changes during a write share the next one. */
  #write(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#writing = this.#writing.then(async () => {
      this.#dirty = false;
      const projects = [...this.#known.values()].map(({ row, at, folders }) => {
        const { registrar, metadata, ...columns } = row;
        return { at, folders, row: { ...columns, metadata: { ...metadata, registrar } } };
      });
      const text = `${JSON.stringify({ version: 1, registry: this.#registry, projects, folders: [...this.#seenFolders] })}\n`;
      await writePrivateFile(this.#path, text).catch(this.#onFailure);
    });
  }

  #load(text: string): void {
    const value = JSON.parse(text) as { version?: unknown; registry?: unknown; projects?: Known[]; folders?: string[] };
    if (value.version !== 1 || value.registry !== this.#registry || !Array.isArray(value.projects)) return;
    for (const key of value.folders ?? []) this.#see(key);
    for (const { row, at, folders } of value.projects) {
      for (const key of folders) this.#see(key);
      this.#known.set(row.id, { row: { ...row, registrar: readRegistrarMetadata(row.metadata) }, at, folders });
    }
    this.#bound();
  }
}
