import type { Resolution } from '../daemon/protocol/model.ts';
import type { WindowState } from './windowState.ts';

/**
 * Opening a trusted folder asks for its project, once: that makes the database when there is none yet. The request stands
 * until it was answered, by a server that could be asked; after that the window only looks.
 */
export class FirstResolves {
  readonly #resolve: (directory: string) => Promise<Resolution>;
  readonly #answered = new Set<string>();
  readonly #asking = new Set<string>();
  /** Asked at least once of the daemon that is attached now, which brings it the window's address. */
  readonly #tried = new Set<string>();
  /** One after the other: of two folders that claim one name, the upper one has it. */
  #turn: Promise<void> = Promise.resolve();
  #daemon = '';

  constructor(resolve: (directory: string) => Promise<Resolution>) {
    this.#resolve = resolve;
  }

  /** Call it whenever the state has changed. */
  update({ folders, isTrusted, snapshot }: WindowState): void {
    if (!isTrusted || !snapshot) return;
    if (this.#daemon !== snapshot.daemon.started) this.#tried.clear();
    this.#daemon = snapshot.daemon.started;
    for (const { path } of folders) {
      if (this.#answered.has(path) || this.#asking.has(path)) continue;
      const seen = snapshot.folders.find((folder) => folder.path === path)?.resolution;
      const canBeAnswered = !snapshot.error && seen && !isUnanswered(seen);
      if (this.#tried.has(path) && !canBeAnswered) continue;
      this.#tried.add(path);
      this.#asking.add(path);
      this.#turn = this.#turn.then(() => this.#ask(path));
    }
  }

  async #ask(path: string): Promise<void> {
    try {
      if (!isUnanswered(await this.#resolve(path))) this.#answered.add(path);
    } catch {
      // No PostgreSQL, or no daemon: the snapshot says so, and this is asked again when that has changed.
    } finally {
      this.#asking.delete(path);
    }
  }
}

function isUnanswered({ stale, error }: Resolution): boolean {
  return stale || error?.code === 'REGISTRY_UNREACHABLE' || error?.code === 'CREDENTIALS_REQUIRED';
}
