import type { KeptClaim } from '../../../daemon/registry/model.ts';
import type { ClaimsPort } from '../../../daemon/registry/ports.ts';
import type { ProjectClaim } from '../../../daemon/stateFolder/claimsFile.ts';
import type { Pass } from './passage.ts';
import type { PointName } from './points.ts';

/** A file of claims: what is left of them when their daemon dies. */
export type ClaimsFileContent = Map<string, ProjectClaim>;

/**
 * `daemon/stateFolder/claimsFile.ts` without its disk and its bound: a claim counts at once, and is in the file once somebody
 * let the write go on. What the disk refused comes with the next write.
 */
export class WorldClaims implements ClaimsPort {
  readonly #file: ClaimsFileContent;
  readonly #pass: Pass;
  readonly #options: { what: PointName; perFolder: boolean };
  readonly #claims: ClaimsFileContent;
  readonly #unwritten: ((claims: ClaimsFileContent) => void)[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param options `what`: the point at which a write waits; `perFolder`: a folder has one claim, whatever the project */
  constructor(file: ClaimsFileContent, pass: Pass, options: { what: PointName; perFolder: boolean }) {
    this.#file = file;
    this.#pass = pass;
    this.#options = options;
    this.#claims = new Map(file);
  }

  of(projectIds: readonly string[]): KeptClaim[] {
    return [...this.#claims.values()]
      .filter(({ projectId }) => projectIds.includes(projectId))
      .map(({ claim }) => claim);
  }

  at(hostId: string, path: string): ProjectClaim | null {
    return this.#claims.get(JSON.stringify([hostId, path])) ?? null;
  }

  keep(projectId: string, claim: KeptClaim): Promise<void> {
    const key = JSON.stringify([claim.hostId, claim.path, ...(this.#options.perFolder ? [] : [projectId])]);
    return this.#change((claims) => {
      claims.delete(key);
      claims.set(key, { projectId, claim });
    });
  }

  async remove(isMeant: (claim: ProjectClaim) => boolean): Promise<boolean> {
    if (![...this.#claims.values()].some(isMeant)) return false;
    await this.#change((claims) => {
      for (const [key, claim] of claims) if (isMeant(claim)) claims.delete(key);
    });
    return true;
  }

  #change(change: (claims: ClaimsFileContent) => void): Promise<void> {
    change(this.#claims);
    this.#unwritten.push(change);
    const written = this.#writing.then(async () => {
      if (this.#unwritten.length === 0) return;
      const fault = await this.#pass(this.#options.what);
      // Whatever came while it waited is written, too.
      if (fault !== null) throw new Error('ENOSPC: no space left on device');
      for (const apply of this.#unwritten.splice(0)) apply(this.#file);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }
}
