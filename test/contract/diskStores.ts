import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemoryPort } from '../../daemon/registry/ports.ts';
import { ClaimsFile } from '../../daemon/stateFolder/claimsFile.ts';
import { KnownProjects } from '../../daemon/stateFolder/knownProjects.ts';
import { Outbox } from '../../daemon/sync/outbox.ts';
import { writePrivateFile } from '../../daemon/wire/stateFolder.ts';
import { Clock } from '../support/world/clock.ts';
import type { ClaimsStore } from './claimsContract.ts';
import type { OutboxStore } from './outboxContract.ts';
import type { StoreGround } from './storeGround.ts';

interface Disk {
  path: string;
  now: () => Date;
}

/** A folder of its own; a disk that refuses is one whose folder is away. */
async function onDisk<Store>(open: (disk: Disk) => Promise<Store>): Promise<StoreGround<Store>> {
  const folder = await mkdtemp(join(tmpdir(), 'registrar-stores-'));
  const path = join(folder, 'state');
  await mkdir(path);
  const clock = new Clock();
  return {
    open: () => open({ path, now: () => new Date(clock.ms) }),
    refuse: (isRefusing) => (isRefusing ? rename(path, `${path} away`) : rename(`${path} away`, path)),
    now: () => clock.now(),
    move(ms) {
      clock.move(ms);
    },
    close: () => rm(folder, { recursive: true }),
  };
}

export function outboxOnDisk(): Promise<StoreGround<OutboxStore>> {
  return onDisk(({ path, now }) =>
    Outbox.open(path, {
      registry: 'here',
      now: () => now().toISOString(),
      writeFile: writePrivateFile,
      onDamaged: fail,
    }),
  );
}

/** What is known is written in the background, so whoever opens it next waits for that. */
export function memoryOnDisk(): Promise<StoreGround<MemoryPort>> {
  const opened: KnownProjects[] = [];
  return onDisk(async ({ path, now }) => {
    for (const known of opened) await known.close();
    const known = await KnownProjects.open(join(path, 'known.json'), 'here', now, fail);
    opened.push(known);
    return known;
  });
}

export function claimsOnDisk(perFolder: boolean): Promise<StoreGround<ClaimsStore>> {
  return onDisk(({ path }) => ClaimsFile.open(join(path, 'claims.json'), { perFolder, onFailure: fail }));
}

function fail(...reasons: unknown[]): never {
  throw new Error(`the file could not be read or written: ${reasons.map(String).join(', ')}`);
}
