import type { WindowSettings } from '../daemon/protocol/settings.ts';

type Readers = { [Name in keyof WindowSettings]-?: (value: unknown) => WindowSettings[Name] };

const text = (value: unknown): string | null | undefined =>
  typeof value === 'string' ? (value.trim() === '' ? null : value.trim()) : undefined;
const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);
const oneOf =
  <Value extends string>(...values: Value[]) =>
  (value: unknown): Value | undefined =>
    values.find((known) => known === value);
const minutes = (value: unknown): number | undefined =>
  typeof value === 'number' && value > 0 && value <= 10_000 ? value : undefined;

/** The daemon's settings. A value that VS Code marks as wrong counts as not set. */
const readers: Partial<Readers> = {
  'registrar.postgres.projectSchema': text,
  'registrar.postgres.ownerRole': text,
  'registrar.workflow.url': text,
  'registrar.defaultProject.enabled': flag,
  'registrar.config.writeId': oneOf('always', 'untracked', 'never'),
  'registrar.daemon.idleMinutes': minutes,
  'registrar.mcp.tools': oneOf('standard', 'all'),
};

/** Their ids. */
export const daemonSettings: readonly string[] = Object.keys(readers);

/** Those of the values that the daemon can use. */
export function readDaemonSettings(values: Record<string, unknown>): WindowSettings {
  const read = Object.entries(readers).map(([id, reader]) => [id, reader(values[id])] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}
