import type { KnownProjects } from '../stateFolder/knownProjects.ts';
import { ChangeWatch } from '../postgres/registry/registryChanges.ts';
import type { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import type { Outbox } from '../sync/outbox.ts';
import { retryDelayMs } from '../registry/delivery/retryPolicy.ts';
import type { EngineOptions } from './engine.ts';
import { textOf } from './textOf.ts';

/** Keeps memory up to date with the registry, whoever changes it. Changes that come together are read together. */
export function watchKnown(
  database: RegistryDatabase,
  memory: KnownProjects,
  outbox: Outbox,
  ports: RegistryPorts,
  { log, watchTimes, onRegistryChange }: Pick<EngineOptions, 'log' | 'watchTimes' | 'onRegistryChange'>,
): ChangeWatch {
  let isAsked = false;
  let running: Promise<void> | null = null;
  const refresh = async (): Promise<void> => {
    while (isAsked) {
      isAsked = false;
      // Projects in the outbox are not in the registry, but are known all the same.
      const ids = memory.ids().filter((id) => outbox.find({ id, name: null }).length === 0);
      if (ids.length === 0) continue;
      const sightings = await ports.lookingOnly.registry.lookIds(ids);
      const changed = memory.refresh(
        ids,
        sightings.map(({ row }) => row),
      );
      if (changed > 0) log.info({ operation: 'watch', changed }, 'projects changed elsewhere');
    }
  };
  return ChangeWatch.start(database, {
    ...watchTimes,
    // A daemon that nobody uses does not wake up more than once a minute for a server that is not there.
    retryDelayMs: (failures) => (failures > 6 ? 60_000 * (1 + Math.random()) : retryDelayMs(failures, Math.random())),
    onLost: () => onRegistryChange?.(),
    onChange: () => {
      onRegistryChange?.();
      isAsked = true;
      running ??= refresh()
        .catch((error: unknown) => {
          log.warn({ operation: 'watch', reason: textOf(error) }, 'changes made elsewhere could not be read');
        })
        .finally(() => {
          running = null;
        });
    },
  });
}
