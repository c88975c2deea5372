import type { WindowState } from './windowState.ts';

/** Changes that come within this time are drawn together, ms. */
const drawTogetherMs = 30;

/** The latest state of this window. Views read only this, and are notified once however many changes come together. */
export class ProjectStore {
  #state: WindowState = { folders: [], isTrusted: false, snapshot: null, daemonError: null, progress: null };
  readonly #listeners = new Set<(state: WindowState) => void>();
  #timer: NodeJS.Timeout | undefined;

  get state(): WindowState {
    return this.#state;
  }

  update(change: Partial<WindowState>): void {
    this.#state = { ...this.#state, ...change };
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) listener(this.#state);
    }, drawTogetherMs);
  }

  onDidChange(listener: (state: WindowState) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
