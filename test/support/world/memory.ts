import { folderKey, type Folder, type RegistryRow } from '../../../daemon/registry/model.ts';
import type { LookKeys, MemoryPort } from '../../../daemon/registry/ports.ts';

/** What a daemon knows of one project. */
export interface Known {
  row: RegistryRow;
  at: string;
  folders: string[];
}

/** How often, at most, an unchanged project is confirmed. */
const rewriteMs = 60_000;

/** `daemon/stateFolder/knownProjects.ts` without its file and its bounds. */
export class WorldMemory implements MemoryPort {
  readonly #known: Map<string, Known>;
  readonly #now: () => string;

  constructor(known: Map<string, Known>, now: () => string) {
    this.#known = known;
    this.#now = now;
  }

  recall({ id, name }: LookKeys, folder: Folder | null): { row: RegistryRow; at: string } | null {
    const isMeant = ({ row, folders }: Known): boolean => {
      if (id !== null) return row.id === id || row.registrar.formerIds?.includes(id) === true;
      return row.name === name && (!folder || folders.includes(folderKey(folder)));
    };
    const own = id === null ? undefined : this.#known.get(id);
    const found = own ?? [...this.#known.values()].find(isMeant);
    return found ? { row: found.row, at: found.at } : null;
  }

  remember(row: RegistryRow, folder: Folder | null): void {
    const before = this.#known.get(row.id);
    const folders = folder ? [...new Set([...(before?.folders ?? []), folderKey(folder)])] : (before?.folders ?? []);
    const now = this.#now();
    const isNews =
      before?.row.name !== row.name ||
      before.row.databaseName !== row.databaseName ||
      folders.length > before.folders.length ||
      Date.parse(now) - Date.parse(before.at) > rewriteMs;
    this.#known.delete(row.id);
    this.#known.set(row.id, { row, at: isNews ? now : before.at, folders });
  }

  forget(id: string): void {
    this.#known.delete(id);
  }
}
