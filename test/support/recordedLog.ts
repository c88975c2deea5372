import type { EngineLog } from '../../daemon/engine/engine.ts';

export interface LogLine {
  level: 'info' | 'warn';
  fields: Record<string, unknown>;
  message: string;
}

/** A log that tests read, and wait on for what happens unprompted. */
export interface RecordedLog extends EngineLog {
  lines: LogLine[];
  /** The first line with this message, whether it is there already or still comes; an error after 40 s. */
  line(message: string): Promise<LogLine>;
}

export function recordLog(): RecordedLog {
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  const write =
    (level: LogLine['level']) =>
    (fields: Record<string, unknown>, message: string): void => {
      lines.push({ level, fields, message });
      for (const listener of listeners) listener();
    };
  return {
    lines,
    info: write('info'),
    warn: write('warn'),
    line: (message) =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        const look = (): void => {
          const found = lines.find((line) => line.message === message);
          if (!found) return;
          settle();
          resolve(found);
        };
        const timer = setTimeout(() => {
          settle();
          reject(new Error(`no line "${message}" among: ${lines.map((line) => line.message).join(' | ')}`));
        }, 40_000);
        listeners.add(look);
        look();
      }),
  };
}
