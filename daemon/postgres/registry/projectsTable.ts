import type { RegistryPort } from '../../registry/ports.ts';
import { ProjectChanges } from './projectChanges.ts';
import { ProjectReads } from './projectReads.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import type { RegistryEvents } from './registryEvents.ts';

/** The registry table `projects` behind the rules' port. */
export function projectsTable(database: RegistryDatabase, events: RegistryEvents): RegistryPort {
  const reads = new ProjectReads(database);
  const changes = new ProjectChanges(database, events);
  return {
    look: (keys, patient) => reads.look(keys, patient),
    lookFormerId: (id) => reads.lookFormerId(id),
    lookIds: (ids) => reads.lookIds(ids),
    lookIdPrefix: (prefix) => reads.lookIdPrefix(prefix),
    lookDatabaseOwner: (databaseName) => reads.lookDatabaseOwner(databaseName),
    lookEvents: (keys) => events.look(keys),
    list: (page) => reads.list(page),
    reserve: (row) => changes.reserve(row),
    change: (observed, wanted, comment) => changes.change(observed, wanted, comment),
    insert: (row, comment) => changes.insert(row, comment),
    remove: (observed, comment) => changes.remove(observed, comment),
    whileHeld: (observed, work, details) => changes.whileHeld(observed, work, details),
  };
}
