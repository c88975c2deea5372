import type { OutboxEntry } from '../../../daemon/registry/delivery/outboxRules.ts';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import type { RowChange } from '../../../daemon/registry/ports.ts';
import { isSameJson } from './json.ts';
import { registrarIn, type StoredRow } from './server.ts';

/**
 * What has to be as it was observed when something is written. They stand in one object so that the simulation's mutants can
 * make each of them blind.
 */
export const conditions = {
  /** `removeSql`: by everything but the folder. */
  isAsNamed({ name, databaseName, metadata }: StoredRow, observed: RegistryRow): boolean {
    if (name !== observed.name || databaseName !== observed.databaseName) return false;
    return (registrarIn(metadata)['state'] ?? 'ready') === (observed.registrar.state ?? 'ready');
  },

  /** `observedSql`, besides `removeSql` */
  isOfSameFolder({ metadata }: StoredRow, observed: RegistryRow): boolean {
    return isSameJson(registrarIn(metadata)['folder'], observed.registrar.folder);
  },

  hasSameEvidence({ metadata }: StoredRow, observed: RegistryRow, wanted: RowChange): boolean {
    if (wanted.registrar?.evidence === undefined) return true;
    return isSameJson(registrarIn(metadata)['evidence'], registrarIn(observed.metadata)['evidence']);
  },

  /** `daemon/sync/outbox.ts`: an entry that somebody changed since is another one. */
  isObservedEntry(entry: OutboxEntry, observed: RegistryRow): boolean {
    return entry.row === observed;
  },

  /** `daemon/config/writeConfig.ts`: an id that somebody wrote since stays. */
  keptId({ id }: { id: string | null }): string | null {
    return id;
  },
};
