import type { RegistryRow } from '../../registry/model.ts';
import type { Operation, RegistryEvents } from './registryEvents.ts';

type Noted = Pick<RegistryRow, 'id' | 'name' | 'databaseName'>;

/** How many projects and folders one daemon notes a day, of each kind: whoever asks in a loop fills no table. */
const mostADay = 500;
const mostWaiting = 100;

/** Events beside what people wait for: nobody waits for them, and nothing fails where they cannot be written. */
export interface EventNotes {
  /** Notes it once a day for each project and folder. Returns at once; a server that refuses is asked again by the next. */
  daily(operation: 'refused' | 'handed_over', project: Noted, details?: { folder: string; code: string }): void;
  /** A project that only the outbox knew has ended. What cannot be written now waits, in memory, for `retry`. */
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
