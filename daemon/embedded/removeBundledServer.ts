import { rm } from 'node:fs/promises';
import path from 'node:path';
import { keepBinaries } from './binaries.ts';
import { bundledFault } from './bundledFault.ts';
import { readDataMajor } from './cluster.ts';
import { stopPostmaster } from './postmaster.ts';
import { isThere } from '../files/isThere.ts';
import { openServerHome, readRecord } from './serverHome.ts';

/** The folder that holds the data of the bundled server; null when there is none. */
export async function bundledDataFolder(folder: string): Promise<string | null> {
  const home = (await readRecord(folder)).home ?? folder;
  return (await isThere(path.join(home, 'cluster'))) ? home : null;
}

/**
 * Stops the bundled server, whoever is connected to it, and removes it with all its data. Does nothing where there is none.
 *
 * @throws RegistrarError `PROVISION_FAILED` when it does not stop, or was made by another user; then nothing is removed
 */
export async function removeBundledServer(folder: string): Promise<void> {
  const home = await bundledDataFolder(folder);
  if (home === null) return;
  const place = await openServerHome(folder);
  const binaries = await keepBinaries(place, await readDataMajor(place), null, () => undefined);
  await stopPostmaster(place.account, binaries, path.join(home, 'cluster', 'data'));
  try {
    await rm(home, { recursive: true, force: true });
  } catch (error) {
    throw bundledFault(`The bundled server’s data in ${home} could not be removed.`, `Remove ${home} yourself.`, error);
  }
}
