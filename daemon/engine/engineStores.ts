import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { ClaimsFile } from '../stateFolder/claimsFile.ts';
import { hostId } from '../stateFolder/hostFile.ts';
import { KnownProjects } from '../stateFolder/knownProjects.ts';
import { writePrivateFile } from '../wire/stateFolder.ts';
import { Outbox } from '../sync/outbox.ts';
import type { EngineOptions } from './engine.ts';
import { textOf } from './textOf.ts';

/** What this machine keeps in the state folder, and its identity. */
export interface EngineStores {
  outbox: Outbox;
  /** What this machine remembers of projects. */
  memory: KnownProjects;
  /** Claims of folders, each project's. */
  claims: ClaimsFile;
  /** Claims that a person made for folders of this machine alone. */
  bindings: ClaimsFile;
  /** This machine's name. */
  host: string;
  /** This machine's identity, whatever its name. */
  hostId: string;
  /** `user@machine` */
  creator: string;
}

/** @param key what tells this registry from the others that this machine knows */
export async function openStores(options: EngineOptions, key: string, now: () => Date): Promise<EngineStores> {
  const { stateFolder, log } = options;
  const outbox = await Outbox.open(join(stateFolder, 'outbox'), {
    registry: key,
    now: () => now().toISOString(),
    writeFile: writePrivateFile,
    onDamaged: (file, reason) => {
      log.warn({ operation: 'outbox', file, reason }, 'an outbox entry could not be read and was renamed');
    },
  });
  const memory = await KnownProjects.open(join(stateFolder, 'known.json'), key, now, (error) => {
    log.warn({ operation: 'known', reason: textOf(error) }, 'known.json could not be read or written');
  });
  const host = options.host ?? hostname();
  const thisHost = await hostId(join(stateFolder, 'host.json'), host);
  const openClaims = (file: string, perFolder: boolean): Promise<ClaimsFile> =>
    ClaimsFile.open(join(stateFolder, file), {
      perFolder,
      onFailure: (error) => {
        log.warn({ operation: 'claims', file, reason: textOf(error) }, 'claims of folders could not be read');
      },
    });
  const [claims, bindings] = await Promise.all([openClaims('claims.json', false), openClaims('bindings.json', true)]);
  return { outbox, memory, claims, bindings, host, hostId: thisHost, creator: `${userName()}@${host}` };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without a passwd entry.
    return `uid${process.getuid?.() ?? ''}`;
  }
}
