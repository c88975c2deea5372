import { RegistrarError } from '../protocol/registrarError.ts';
import { folderKey, type Folder, type RegistrarMetadata, type RegistryRow, type Sighting } from './model.ts';
import { changeRow, type Run, type Settled } from './settle.ts';

/**
 * Notes the day of use on the row, and the name that the folder claims. Both help later decisions and neither decides this
 * one, so a role that may not write them still gets its answer.
 */
export async function recordUse(
  run: Run,
  settled: Settled,
  claimed: { folder: Folder; name: string } | null,
): Promise<void> {
  const { row, sync } = settled;
  if (!row || !sync) return;
  const now = run.ports.origin.now();
  const usedToday = row.registrar.lastUsedAt?.slice(0, 10) === now.slice(0, 10);
  const key = claimed && folderKey(claimed.folder);
  const isNewClaim = key !== null && row.registrar.claims?.[key]?.name !== claimed?.name;
  if ((usedToday && !isNewClaim) || run.ports.unnoted.has(row.id)) return;
  const registrar: RegistrarMetadata = { lastUsedAt: now };
  if (key !== null && claimed) {
    // Found by its id: the first folder that shows it is the evidence that a row without any was missing.
    if (!row.registrar.folder) {
      const git = await run.ports.folders.git(claimed.folder.path);
      Object.assign(registrar, { folder: claimed.folder, ...(git ? { git } : {}) });
    }
    registrar.claims = newestClaims({ ...row.registrar.claims, [key]: { name: claimed.name, at: now } });
  }
  try {
    const sighting: Sighting = { row, sync, database: { presence: 'present', comment: null } };
    await changeRow(run, sighting, { registrar }, null);
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    // Not tried again at every resolve.
    run.ports.unnoted.add(row.id);
  }
}

/** A project that hundreds of checkouts use must not grow without end; the oldest claims go first. */
function newestClaims(claims: NonNullable<RegistryRow['registrar']['claims']>): typeof claims {
  return Object.fromEntries(
    Object.entries(claims)
      .sort(([, one], [, other]) => other.at.localeCompare(one.at))
      .slice(0, 64),
  );
}
