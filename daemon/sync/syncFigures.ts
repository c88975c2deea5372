import type { SyncFigures } from '../protocol/answers.ts';
import type { Delivery } from '../registry/delivery/outboxRules.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** Counts of one daemon's deliveries since it started: the one source of the numbers in status, log and snapshot. */
export class DeliveryCounts {
  #delivered = 0;
  #failed = 0;
  #retries = 0;
  readonly #failuresByCode: Record<string, number> = {};
  #lastSuccessAt: string | null = null;
  #lastError: SyncFigures['lastError'] = null;
  /** Successes and failures by minute since 1970, for an hour: bounded however many deliveries there are. */
  readonly #minutes = new Map<number, { delivered: number; failed: number }>();

  /**
   * @param attempts how often the entry had been tried before
   * @param nowMs milliseconds since 1970
   */
  add(delivery: Delivery, attempts: number, nowMs: number): void {
    if (attempts > 1) this.#retries += 1;
    if (delivery.kind === 'forgotten') return;
    const minute = this.#minute(nowMs);
    const at = new Date(nowMs).toISOString();
    if (delivery.kind === 'delivered') {
      this.#delivered += 1;
      minute.delivered += 1;
      this.#lastSuccessAt = at;
      return;
    }
    this.#failed += 1;
    minute.failed += 1;
    const { code, message } = delivery.error;
    this.#failuresByCode[code] = (this.#failuresByCode[code] ?? 0) + 1;
    this.#lastError = { code, message, at };
  }

  figures(nowMs: number): SyncFigures {
    this.#forgetOld(nowMs);
    let delivered = 0;
    let failed = 0;
    for (const minute of this.#minutes.values()) {
      delivered += minute.delivered;
      failed += minute.failed;
    }
    return {
      delivered: this.#delivered,
      failed: this.#failed,
      failuresByCode: { ...this.#failuresByCode },
      retries: this.#retries,
      successRateLastHour: delivered + failed === 0 ? null : delivered / (delivered + failed),
      lastSuccessAt: this.#lastSuccessAt,
      lastError: this.#lastError,
    };
  }

  #minute(nowMs: number): { delivered: number; failed: number } {
    this.#forgetOld(nowMs);
    const key = Math.floor(nowMs / minuteMs);
    const minute = this.#minutes.get(key) ?? { delivered: 0, failed: 0 };
    this.#minutes.set(key, minute);
    return minute;
  }

  #forgetOld(nowMs: number): void {
    for (const key of this.#minutes.keys()) {
      if (key * minuteMs <= nowMs - hourMs) this.#minutes.delete(key);
    }
  }
}
