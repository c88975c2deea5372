import type { RegistryReading } from '../../daemon/postgres/registry/driftReading.ts';
import type { DeliveryOutcome } from '../../daemon/postgres/registry/deliver.ts';
import type { RegistrarMetadata, RegistryRow } from '../../daemon/registry/model.ts';
import type { StatementPoint } from '../support/world/points.ts';
import type { CatalogPort, RegistryPort } from '../../daemon/registry/ports.ts';

/** Statements that change or lock something, by what they do. */
export const statements: readonly string[] = [
  ...['reserve', 'change', 'insert', 'remove', 'hold', 'delete', 'deliver'],
  ...['comment', 'create', 'drop', 'commit', 'look'],
];

/** The ports of one daemon. */
export interface Member {
  role: string;
  registry: RegistryPort;
  catalog: CatalogPort;
  deliver(rows: RegistryRow[]): Promise<DeliveryOutcome[]>;
  readRegistry(): Promise<RegistryReading>;
  /** The connection breaks at the next such statement: before it comes to the server, or after that has done it. */
  breakAt(statement: StatementPoint, when: 'before' | 'after'): void;
  /** Statements that change or lock something, since the last call. */
  take(): string[];
}

export interface MemberOptions {
  /** `registrar.postgres.ownerRole` */
  ownerRole?: string;
  projectSchema?: string;
  /** A role of its own, which may not do this; else the registry's owner. */
  lacks?: readonly ('select' | 'insert' | 'update' | 'delete' | 'createdb')[];
  /** A role of its own, which is a member of this one. */
  memberOf?: string;
}

/** Somebody else's transaction, which is open until the test ends it. */
export interface OpenTransaction {
  insert(row: RegistryRow, metadata?: object | null): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Notes something on the row that no key depends on. */
  touch(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** As a daemon does, under the lock of this comment. */
  comment(databaseName: string, comment: string): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What the contract runs on: PostgreSQL with the real adapters, or the world. */
export interface Ground {
  member(options?: MemberOptions): Promise<Member>;
  /** A row that nobody has yet, whose database nobody has made. */
  newRow(registrar?: RegistrarMetadata): RegistryRow;
  begin(): Promise<OpenTransaction>;
  /** Resolves when this many statements wait for somebody's transaction to end. */
  waiting(count: number): Promise<void>;
  /** A role that has nothing to do with the registry. */
  stranger(): Promise<string>;
  superuser: string;
  makeDatabase(name: string, options?: { owner?: string; comment?: string; hasTable?: boolean }): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  /** As a DROP DATABASE leaves it that was cut short. */
  interruptDrop(name: string): Promise<void>;
  connect(database: string, role?: string): Promise<{ isOpen(): Promise<boolean>; close(): Promise<void> }>;
  /** Ends the connections of all members. */
  leave(): Promise<void>;
  close(): Promise<void>;
}
