import { realpath } from 'node:fs/promises';
import type { ConfigSearch, WorkspaceConfig } from '../resolution/ports.ts';
import type { Vouch } from '../resolution/trust.ts';
import type { ConfigReader } from './configCache.ts';
import { promptLooks, waitingLooks, type FileLooks } from '../files/fileLooks.ts';
import { findConfig } from './findConfig.ts';
import { isLocal, readMounts, type Mount } from '../files/localMounts.ts';

/** Something else may be mounted after this time. */
const mountsHoldMs = 10_000;
const maxPlaces = 1000;

/**
 * Finds and reads config files for callers that ask again and again. A place on this machine's own disks is read
 * synchronously, without a trip to another thread for each system call. Everything is still read each time.
 *
 * Whatever could hang is read on another thread: a network file system, a path with symbolic links (which may lead to
 * one), another worktree's config. A link that later takes the place of a local file is followed once.
 */
export class ConfigFinder {
  readonly #reader: ConfigReader;
  readonly #home: Promise<string>;
  readonly #now: () => number;
  readonly #readMounts: () => Promise<Mount[]>;
  /**
   * What is known about folders and the config files that were found from them, and when that was found out (ms of
   * `now`).
   */
  readonly #places = new Map<string, { isPrompt: boolean; at: number }>();

  /** @param options `home`: the home folder; `now`: a monotonic clock, ms */
  constructor(reader: ConfigReader, options: { home: string; now: () => number; readMounts?: () => Promise<Mount[]> }) {
    this.#reader = reader;
    this.#home = realpath(options.home).catch(() => options.home);
    this.#now = options.now;
    this.#readMounts = options.readMounts ?? readMounts;
  }

  /** As `findConfig`. */
  async find(directory: string): Promise<ConfigSearch> {
    const search = await findConfig(directory, { home: await this.#home, looks: this.looksAt(directory) });
    const path = search.kind === 'found' && search.viaWorktreeOf === null ? search.path : null;
    if (path !== null && !(this.#isKnown(directory) && this.#isKnown(path))) await this.#learn(directory, path);
    return search;
  }

  /** As `ConfigReader.read`, for a path that `find` gave. */
  read(path: string, vouch: Vouch): Promise<WorkspaceConfig> {
    return this.#reader.read(path, { looks: this.looksAt(path), vouch });
  }

  /** How a folder or config file is read next. */
  looksAt(path: string): FileLooks {
    return this.#isKnown(path) && this.#places.get(path)?.isPrompt ? promptLooks : waitingLooks;
  }

  #isKnown(path: string): boolean {
    return this.#now() - (this.#places.get(path)?.at ?? Number.NEGATIVE_INFINITY) < mountsHoldMs;
  }

  async #learn(directory: string, path: string): Promise<void> {
    const [real, realPath, mounts] = await Promise.all([
      realpath(directory).catch(() => null),
      realpath(path).catch(() => null),
      this.#readMounts(),
    ]);
    const isPrompt = real === directory && realPath === path && isLocal(directory, mounts);
    if (this.#places.size >= maxPlaces) this.#places.clear();
    for (const place of [directory, path]) this.#places.set(place, { isPrompt, at: this.#now() });
  }
}
