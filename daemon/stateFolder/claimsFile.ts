import { readFile } from 'node:fs/promises';
import { LockLost, withFileLock } from '../files/fileLock.ts';
import { replaceFile } from '../files/replaceFile.ts';
import type { KeptClaim } from '../registry/model.ts';
import { readKeptClaim } from '../registry/rowMetadata.ts';
import { osErrorCode } from '../files/osError.ts';

/** A folder's claim to a project. */
export interface ProjectClaim {
  projectId: string;
  claim: KeptClaim;
}

/** The oldest go first; a machine with more folders than this claims them again. */
const maxClaims = 10_000;

/**
 * Claims of this host's folders in one file of the state folder: `claims.json` keeps those that evidence supported, and
 * `bindings.json` those that a person made for this machine alone. A saved claim is on disk before anybody continues.
 */
export class ClaimsFile {
  readonly #path: string;
  readonly #keyOf: (claim: ProjectClaim) => string;
  readonly #onFailure: (error: unknown) => void;
  #claims = new Map<string, ProjectClaim>();
  #writing: Promise<void> = Promise.resolve();
  /** What is not on disk yet, because there was no time or the disk refused it. */
  readonly #unwritten: ((claims: Map<string, ProjectClaim>) => void)[] = [];

  private constructor(path: string, keyOf: (claim: ProjectClaim) => string, onFailure: (error: unknown) => void) {
    this.#path = path;
    this.#keyOf = keyOf;
    this.#onFailure = onFailure;
  }

  /**
   * @param options `perFolder`: a folder has one claim at most, whatever the project; `onFailure` hears of a file that
   *   could not be read, which then counts as empty
   */
  static async open(
    path: string,
    options: { perFolder: boolean; onFailure: (error: unknown) => void },
  ): Promise<ClaimsFile> {
    const keyOf = ({ projectId, claim }: ProjectClaim): string =>
      JSON.stringify([claim.hostId, claim.path, ...(options.perFolder ? [] : [projectId])]);
    const file = new ClaimsFile(path, keyOf, options.onFailure);
    file.#claims = (await file.#read()) ?? new Map<string, ProjectClaim>();
    return file;
  }

  of(projectIds: readonly string[]): KeptClaim[] {
    const found: KeptClaim[] = [];
    for (const { projectId, claim } of this.#claims.values()) if (projectIds.includes(projectId)) found.push(claim);
    return found;
  }

  /** The claim of one folder, in a file that keeps one per folder. */
  at(hostId: string, path: string): ProjectClaim | null {
    return this.#claims.get(JSON.stringify([hostId, path])) ?? null;
  }

  /** @throws the operating system's error when the file cannot be written; the claim then counts until the daemon ends, and the next write that succeeds brings it */
  keep(projectId: string, claim: KeptClaim): Promise<void> {
    const kept = { projectId, claim };
    return this.#change((claims) => {
      const key = this.#keyOf(kept);
      // Setting an entry again moves it to the end, so the first of the map is the oldest.
      claims.delete(key);
      claims.set(key, kept);
    });
  }

  /** @returns whether there was such a claim */
  async remove(isMeant: (claim: ProjectClaim) => boolean): Promise<boolean> {
    let isChanged = [...this.#claims.values()].some(isMeant);
    if (!isChanged) return false;
    await this.#change((claims) => {
      for (const [key, claim] of claims) if (isMeant(claim)) isChanged = claims.delete(key) || isChanged;
    });
    return isChanged;
  }

  /**
   * One after the other, based on the file's current content, because another daemon may write it too while one takes
   * over from the other.
   */
  #change(change: (claims: Map<string, ProjectClaim>) => void): Promise<void> {
    change(this.#claims);
    this.#unwritten.push(change);
    const written = this.#writing.then(async () => {
      if (this.#unwritten.length === 0) return;
      const write = (): Promise<void> => withFileLock(`${this.#path}.lock`, (confirm) => this.#write(confirm));
      await write().catch((error: unknown) => {
        if (!(error instanceof LockLost)) throw error;
        // This process hung, and another one has written since.
        return write();
      });
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(confirm: () => Promise<void>): Promise<void> {
    const changes = [...this.#unwritten];
    // If the file cannot be read at the moment, what this daemon knows must not get lost.
    const claims = (await this.#read()) ?? new Map(this.#claims);
    for (const apply of changes) apply(claims);
    for (const oldest of claims.keys()) {
      if (claims.size <= maxClaims) break;
      claims.delete(oldest);
    }
    const list = [...claims.values()].map(({ projectId, claim }) => ({ projectId, ...claim }));
    const text = `${JSON.stringify({ version: 1, claims: list })}\n`;
    await replaceFile(this.#path, text, 0o600, { confirm });
    this.#unwritten.splice(0, changes.length);
  }

  /** Null for a file that is there and cannot be read. */
  async #read(): Promise<Map<string, ProjectClaim> | null> {
    try {
      return this.#parse(await readFile(this.#path, 'utf8'));
    } catch (error) {
      if (osErrorCode(error) === 'ENOENT') return new Map();
      this.#onFailure(error);
      return null;
    }
  }

  #parse(text: string): Map<string, ProjectClaim> {
    const { claims } = JSON.parse(text) as { claims?: unknown };
    const read = new Map<string, ProjectClaim>();
    for (const entry of Array.isArray(claims) ? (claims as { projectId?: unknown }[]) : []) {
      const claim = readKeptClaim(entry);
      if (!claim || typeof entry.projectId !== 'string') continue;
      const kept = { projectId: entry.projectId, claim };
      read.set(this.#keyOf(kept), kept);
    }
    return read;
  }
}
