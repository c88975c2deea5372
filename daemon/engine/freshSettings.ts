import { statSync } from 'node:fs';
import type { Settings } from '../protocol/settings.ts';

/** The settings as in their file; read again only if the file has been replaced. */
export class FreshSettings {
  readonly #path: string;
  readonly #readFile: () => Promise<Settings>;
  #last: Settings | null = null;
  #stamp = '';

  constructor(path: string, readFile: () => Promise<Settings>) {
    this.#path = path;
    this.#readFile = readFile;
  }

  /** Those that were read last; null before the first time. */
  get last(): Settings | null {
    return this.#last;
  }

  async read(): Promise<Settings> {
    const stamp = stampOf(this.#path);
    if (this.#last === null || stamp !== this.#stamp) {
      this.#last = await this.#readFile();
      this.#stamp = stamp;
    }
    return this.#last;
  }
}

/**
 * Changes when the file is replaced. Synchronous, because every request calls it: a trip to another thread takes longer
 * than all rules together, and nothing works anyway while the state folder's file system hangs.
 */
function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino}/${mtimeNs}/${size}`;
  } catch {
    return 'none';
  }
}
