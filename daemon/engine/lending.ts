import type { RegistrarError } from '../protocol/registrarError.ts';
import { cutAfter } from '../time/withLimit.ts';

/** Counts the users of something that is going to be closed. */
export class Lending {
  readonly #cuts = new Set<(reason: RegistrarError) => void>();
  #whenUnused: () => void = () => undefined;

  /** Runs `work`. Rejects when it is cut off; the work then continues, but its outcome is dropped. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    let cut: (reason: RegistrarError) => void = () => undefined;
    const cutOff = new Promise<never>((_, reject) => (cut = reject));
    this.#cuts.add(cut);
    try {
      return await Promise.race([work(), cutOff]);
    } finally {
      this.#cuts.delete(cut);
      if (this.#cuts.size === 0) this.#whenUnused();
    }
  }

  /**
   * Settles when nobody uses it any more; nobody may begin to use it meanwhile.
   *
   * @param limitMs whoever uses it longer is cut off
   */
  async end(limitMs: number, reason: RegistrarError): Promise<void> {
    if (this.#cuts.size === 0) return;
    const cutAll = (): void => {
      for (const cut of this.#cuts) cut(reason);
    };
    await cutAfter(limitMs, cutAll, () => new Promise<void>((resolve) => (this.#whenUnused = resolve)));
  }
}
