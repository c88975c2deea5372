import type { WorldDaemon } from '../support/world/daemon.ts';
import type { StoredRow } from '../support/world/server.ts';
import type { World } from '../support/world.ts';
import type { Ledger } from './invariants.ts';

/** Projects that the folders of people are named after. */
export const names = ['shop', 'blog', 'wiki'] as const;

/** Who and what takes part in a history. */
export interface Scene {
  readonly world: World;
  readonly ledger: Ledger;
  readonly daemons: readonly WorldDaemon[];
  /** Folders with a config file. */
  readonly folders: readonly string[];
  /** What a stranger made: a clone of something else, with the name and perhaps the id of a project of these people. */
  readonly stranger: string;
}

export function nameAt(argument: number): string {
  return names[argument % names.length] ?? names[0];
}

export function folderAt({ folders }: Scene, argument: number): string {
  return folders[argument % folders.length] ?? '';
}

export function databaseAt({ world }: Scene, argument: number): string | null {
  const there = [...world.server.databases.keys()];
  return there[argument % Math.max(1, there.length)] ?? null;
}

/** The project of this name, in the registry or on its way there. */
export function rowNamed(
  { world }: Scene,
  daemon: WorldDaemon,
  name: string,
): Pick<StoredRow, 'id' | 'databaseName' | 'metadata'> | undefined {
  return world.row(name) ?? daemon.outbox.rows().find((row) => row.name === name);
}
