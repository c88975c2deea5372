import { folderKey, type Folder, type KeptClaim, type RegistryRow } from '../../../daemon/registry/model.ts';
import type { ClaimsPort, LookKeys, MemoryPort } from '../../../daemon/registry/ports.ts';
import type { Pass } from './passage.ts';

/** What a daemon knows of one project. */
export interface Known {
  row: RegistryRow;
  at: string;
  folders: string[];
}

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
    const before = this.#known.get(row.id)?.folders ?? [];
    const folders = folder ? [...new Set([...before, folderKey(folder)])] : before;
    this.#known.set(row.id, { row, at: this.#now(), folders });
  }

  forget(id: string): void {
    this.#known.delete(id);
  }
}

/** `daemon/stateFolder/claimsFile.ts`: one claim of each folder to each project. */
export function worldClaims(kept: Map<string, { projectId: string; claim: KeptClaim }>, pass: Pass): ClaimsPort {
  return {
    of: (projectIds) =>
      [...kept.values()].filter(({ projectId }) => projectIds.includes(projectId)).map(({ claim }) => claim),
    async keep(projectId, claim) {
      await pass('claim-write');
      kept.set(JSON.stringify([claim.hostId, claim.path, projectId]), { projectId, claim });
    },
  };
}
