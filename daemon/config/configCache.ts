import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import type { Vouch } from '../resolution/trust.ts';
import { readConfigFile, type ConfigFileContent } from './configFile.ts';
import type { FileLooks } from '../files/fileLooks.ts';
import { folderOf, parseConfig } from './parseConfig.ts';
import type { ParsedConfig } from './parseConfig.ts';

interface CachedConfig {
  bytes: Buffer;
  config: ParsedConfig;
}

const defaultMaxEntries = 1000;
/** Long enough for an editor that truncates and writes to have written, too short for anyone to notice. */
const halfWrittenDelayMs = 25;

/**
 * Reads and caches config files. Every read reads the bytes, and only they decide whether the cached result still
 * holds: two edits within one tick of the file system's clock leave time and size unchanged, and a file restored from
 * an archive has an old time.
 */
export class ConfigReader {
  readonly #cache = new Map<string, CachedConfig>();
  readonly #maxEntries: number;
  readonly #delay: (ms: number) => Promise<unknown>;

  /** @param options `maxEntries`: paths that are kept at most; `delay`: how to wait before the second read */
  constructor(options: { maxEntries?: number; delay?: (ms: number) => Promise<unknown> } = {}) {
    this.#maxEntries = options.maxEntries ?? defaultMaxEntries;
    this.#delay = options.delay ?? ((ms): Promise<unknown> => sleep(ms));
  }

  /** How many paths are kept. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * Reads and parses a config file. A file that does not parse is read again after 25 ms, because it may be half
   * written. If it is still the same, it is what its author meant.
   *
   * @param path as `findConfig` returned it
   * @param options `looks`: how to read the file system, on other threads when absent; `vouch`: called before anything
   *   in the file counts or is reported, because an error message quotes the file
   * @throws RegistrarError the codes of `readConfigFile` and `parseConfig`, and what `vouch` throws
   */
  async read(path: string, options: { looks?: FileLooks; vouch?: Vouch } = {}): Promise<WorkspaceConfig> {
    const first = await this.#vouched(path, options);
    try {
      return { ...this.#parse(path, first.bytes), uid: first.uid };
    } catch (error) {
      await this.#delay(halfWrittenDelayMs);
      const second = await this.#vouched(path, options);
      if (second.bytes.equals(first.bytes)) throw error;
      return { ...this.#parse(path, second.bytes), uid: second.uid };
    }
  }

  async #vouched(path: string, { looks, vouch }: { looks?: FileLooks; vouch?: Vouch }): Promise<ConfigFileContent> {
    const file = await readConfigFile(path, looks);
    await vouch?.({ folder: folderOf(path), uid: file.uid });
    return file;
  }

  #parse(path: string, bytes: Buffer): ParsedConfig {
    const cached = this.#cache.get(path);
    // Deleting and setting an entry moves it to the end, so the first entry of the map has been unused the longest.
    this.#cache.delete(path);
    const entry = cached?.bytes.equals(bytes) ? cached : { bytes, config: parseConfig(bytes, path) };
    this.#cache.set(path, entry);
    const oldest = this.#cache.keys().next();
    if (this.#cache.size > this.#maxEntries && !oldest.done) this.#cache.delete(oldest.value);
    return entry.config;
  }
}
