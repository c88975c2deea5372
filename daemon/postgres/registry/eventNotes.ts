import type { RegistryRow } from '../../registry/model.ts';
import type { Operation, RegistryEvents } from './registryEvents.ts';

type Noted = Pick<RegistryRow, 'id' | 'name' | 'databaseName'>;

/**
 * How many projects and folders one daemon records a day, of each kind, so that a caller in a loop does not fill the
 * table.
 */
const mostADay = 500;
const mostWaiting = 100;

/** Events that nobody waits for, and that fail nothing if they cannot be written. */
export interface EventNotes {
  /**
   * Records it once a day for each project and folder. Returns at once; if the server refuses, the next call tries
   * again.
   */
  daily(operation: 'refused' | 'handed_over', project: Noted, details?: { folder: string; code: string }): void;
  /** A project that only the outbox knew has ended. If that cannot be written now, it waits in memory for `retry`. */
  ended(operation: 'forgotten' | 'dropped', row: RegistryRow, details?: object): Promise<void>;
  /** The server takes writes again. */
  retry(): void;
}

/** @param today the day as `2026-11-29`, UTC */
export function eventNotes(events: Pick<RegistryEvents, 'write'>, today: () => string): EventNotes {
  let day = '';
  const noted = new Map<Operation, Set<string>>();
  let waiting: { operation: Operation; row: RegistryRow; details: object }[] = [];

  async function writeEnded(operation: Operation, row: RegistryRow, details: object): Promise<void> {
    const said = { ...details, registrar: row.registrar };
    const isWritten = await events.write(operation, row, said, false).catch(() => false);
    if (!isWritten && waiting.length < mostWaiting) waiting.push({ operation, row, details });
  }

  return {
    daily(operation, project, details) {
      if (day !== today()) noted.clear();
      day = today();
      const known = noted.get(operation) ?? new Set();
      noted.set(operation, known);
      const key = `${project.id} ${details?.folder ?? ''}`;
      if (known.has(key) || known.size >= mostADay) return;
      known.add(key);
      // After the answer that it is about.
      setImmediate(() => {
        const writing = events.write(operation, project, details ?? {}, true).catch(() => false);
        void writing.then((isWritten) => {
          if (!isWritten) known.delete(key);
        });
      });
    },
    ended: (operation, row, details = {}) => writeEnded(operation, row, details),
    retry() {
      const again = waiting;
      waiting = [];
      for (const { operation, row, details } of again) void writeEnded(operation, row, details);
    },
  };
}
