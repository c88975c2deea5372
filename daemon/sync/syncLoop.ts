import type { SyncStatus, QueuedProject } from '../protocol/answers.ts';
import type { RegistryRow } from '../registry/model.ts';
import type { Outbox } from './outbox.ts';
import type { Delivery, OutboxEntry } from '../registry/delivery/outboxRules.ts';
import { retryDelayMs } from '../registry/delivery/retryPolicy.ts';
import { DeliveryCounts } from './syncFigures.ts';

export interface SyncPorts {
  /** Tries all rows; gives one outcome per row, in order. Throws when the registry cannot be reached at all. */
  deliver(rows: RegistryRow[]): Promise<Delivery[]>;
  now(): Date;
  random(): number;
  /** Called for every entry that left the outbox, was parked, or failed; the next attempt is null for the first two. */
  report(entry: OutboxEntry, delivery: Delivery, nextAttemptAt: string | null): void;
}

/** A thousand files that are removed one after the other take longer than delivering what is in them. */
const settledAtOnce = 32;

/** Delivers the outbox unprompted: at once when it starts or is woken, then with backoff for as long as entries are pending. */
export class SyncLoop {
  readonly #outbox: Outbox;
  readonly #ports: SyncPorts;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  /** The attempt after the current one, for callers that asked meanwhile. */
  #next: Promise<void> | null = null;
  #stopped = false;
  #failuresInARow = 0;
  readonly #counts = new DeliveryCounts();

  constructor(outbox: Outbox, ports: SyncPorts) {
    this.#outbox = outbox;
    this.#ports = ports;
    outbox.onAdded = () => {
      this.#failuresInARow ||= 1;
      this.#schedule();
    };
  }

  /**
   * Tries everything pending now, resolves when that was tried. Callers at the same time share one attempt.
   *
   * @param isAsked a person asked: what is parked is tried too, since the conflict may have been solved in the registry
   */
  async attempt(isAsked = false): Promise<void> {
    if (!isAsked || !this.#running) return this.#begin(isAsked);
    // The current attempt skips parked entries, and may have failed for a reason that was fixed before the person
    // asked.
    this.#next ??= this.#running
      .finally(() => {
        this.#next = null;
      })
      .then(() => this.attempt(true));
    return this.#next;
  }

  /** Tries waiting entries at once, because the registry answers again. */
  wake(): void {
    if (this.#timer && !this.#stopped) void this.attempt();
  }

  /** Ends the loop after the current attempt. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await (this.#next ?? this.#running);
  }

  status(): SyncStatus {
    const entries = this.#outbox.entries();
    const nowMs = this.#ports.now().getTime();
    const pending = entries.filter(({ state }) => state === 'pending');
    const oldest = pending.map(({ since }) => Date.parse(since)).sort((one, other) => one - other)[0];
    return {
      pending: pending.map((entry) => this.#queued(entry)),
      parked: entries.filter(({ state }) => state === 'parked').map((entry) => this.#queued(entry)),
      ...this.#counts.figures(nowMs),
      oldestPendingAgeMs: oldest === undefined ? null : nowMs - oldest,
    };
  }

  #begin(isAsked: boolean): Promise<void> {
    this.#running ??= this.#attempt(isAsked).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  #queued(entry: OutboxEntry): QueuedProject {
    const { id, name, databaseName } = entry.row;
    const nextAttemptAt = entry.state === 'pending' ? this.#outbox.nextAttemptAt : null;
    return { id, name, databaseName, since: entry.since, attempts: entry.attempts, nextAttemptAt, error: entry.error };
  }

  async #attempt(isAsked: boolean): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#outbox.entries().filter(({ state }) => isAsked || state === 'pending');
    if (entries.length === 0) return;
    await this.#outbox.whileDelivering(async () => {
      const deliveries = await this.#deliver(entries);
      const isFailed = deliveries.some(({ kind }) => kind === 'failed');
      this.#failuresInARow = isFailed ? this.#failuresInARow + 1 : 0;
      if (isFailed) this.#schedule();
      else this.#outbox.nextAttemptAt = null;
      const settled = entries.flatMap((entry, index): [OutboxEntry, Delivery][] => {
        const delivery = deliveries[index];
        return delivery ? [[entry, delivery]] : [];
      });
      for (let start = 0; start < settled.length; start += settledAtOnce)
        await this.#record(settled.slice(start, start + settledAtOnce));
    });
  }

  async #deliver(entries: OutboxEntry[]): Promise<Delivery[]> {
    try {
      return await this.#ports.deliver(entries.map(({ row }) => row));
    } catch (error) {
      // Not `reportOf`: the words and the code of the fault itself are what people read beside a project that waits.
      const message = error instanceof Error ? error.message : String(error);
      const code =
        error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
      return entries.map(() => ({ kind: 'failed', error: { code, message } }));
    }
  }

  async #record(batch: readonly [OutboxEntry, Delivery][]): Promise<void> {
    for (const [entry, delivery] of batch) this.#counts.add(delivery, entry.attempts, this.#ports.now().getTime());
    const refusals = await Promise.allSettled(batch.map((one) => this.#outbox.settle(...one)));
    // Only now, so that whoever is notified and looks finds the entry as it is.
    for (const [index, [entry, delivery]] of batch.entries()) {
      this.#ports.report(entry, delivery, delivery.kind === 'failed' ? this.#outbox.nextAttemptAt : null);
      const refusal = refusals[index];
      if (refusal?.status !== 'rejected') continue;
      // The disk refuses: the entry stays as it is on disk, and delivering it again does no harm.
      const message = refusal.reason instanceof Error ? refusal.reason.message : 'the disk refuses';
      this.#ports.report(entry, { kind: 'failed', error: { code: 'OUTBOX', message } }, this.#outbox.nextAttemptAt);
    }
  }

  #schedule(): void {
    if (this.#stopped || this.#timer) return;
    const delayMs = retryDelayMs(this.#failuresInARow, this.#ports.random());
    this.#outbox.nextAttemptAt = new Date(this.#ports.now().getTime() + delayMs).toISOString();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.attempt();
    }, delayMs);
  }
}
