import type { RegistryRow } from '../../daemon/registry/model.ts';

/** Where a daemon keeps something: a folder on a disk, or the world. */
export interface StoreGround<Store> {
  /** As a daemon finds it that starts now, once what the one before it wrote is there. */
  open(): Promise<Store>;
  /** The disk takes nothing, or takes everything again. */
  refuse(isRefusing: boolean): Promise<void>;
  /** ISO 8601 */
  now(): string;
  /** Moves the clock, in milliseconds. */
  move(ms: number): void;
  close(): Promise<void>;
}

/** A row that only these stores see. */
export function storedRow(name: string, number: number): RegistryRow {
  const digits = number.toString(16).padStart(8, '0');
  return {
    id: `${digits}-0000-4000-8000-000000000000`,
    name,
    databaseName: `cb_proj_${name}_${digits}`,
    description: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    metadata: { team: 'a' },
    registrar: { state: 'ready' },
  };
}
