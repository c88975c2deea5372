import type { ErrorReport } from '../../protocol/registrarError.ts';
import { named, quoted } from '../../protocol/visibleText.ts';
import type { Claiming } from '../evidence/claimEvidence.ts';
import { originsOf, type Judged } from '../evidence/evidence.ts';
import { claimedElsewhereNoted, firstClaimNoted } from '../evidence/evidenceFailures.ts';
import { databaseForeign, warning } from '../failures.ts';
import { folderKey } from '../model.ts';
import type { Claim, MarkedDatabase, RegistrarMetadata, RegistryRow, RowEvidence, Sighting } from '../model.ts';
import { databaseNameFor } from '../../protocol/names.ts';
import { keptFolder, keptOrigins } from './recordUse.ts';
import { changeRow, commentFollowing } from './rowChanges.ts';
import { requireExpected } from './settle.ts';
import { type Identified, requireCreation, type Run, wouldDo } from './settleRun.ts';

/** Creates the row in the registry or, if the registry refuses it, in the outbox. */
export async function reserve(
  run: Run,
  claiming: Claiming,
  marked: MarkedDatabase | null,
  unreadable: ErrorReport | null,
): Promise<Identified> {
  const { claim } = claiming;
  const { origin, registry, outbox } = run.ports;
  const id = claim.id ?? origin.newId();
  const databaseName = claim.databaseName ?? marked?.databaseName ?? databaseNameFor(claim.name, id, claiming.group);
  if (run.options.dryRun) return { kind: 'done', settled: wouldDo(run, null, creationSteps(claim, databaseName)) };
  const { owner } = await requireCreation(run);
  const now = origin.now();
  claiming.judged = claim.folder && (await ownFolder(run, claim.folder.path));
  const row: RegistryRow = {
    id,
    name: claim.name,
    databaseName,
    description: claim.description,
    createdAt: now,
    updatedAt: now,
    metadata: {},
    registrar: {
      state: 'provisioning',
      creator: origin.creator,
      lastUsedAt: now,
      madeAs: owner,
      ...(claim.folder
        ? { folder: claim.folder, claims: { [folderKey(claim.folder)]: { name: claim.name, at: now } } }
        : {}),
      ...(claiming.judged ? recordedAs(run, claiming.judged, null) : {}),
      ...(claim.databaseName === null ? {} : { databaseNameChosen: true }),
    },
  };
  run.begun = true;
  run.options.onStep?.(`registering project ${quoted(claim.name)}`);
  const reserved = await registry.reserve(row);
  switch (reserved.kind) {
    case 'reserved':
      run.created = true;
      run.reserved = id;
      knowReservation(claiming, id);
      return { kind: 'again' };
    case 'lost':
      return { kind: 'again' };
    case 'database-taken':
      if (claim.databaseName !== null || claiming.group === 3)
        throw databaseForeign(row, databaseName, 'another project has it');
      claiming.group += 1;
      return { kind: 'again' };
    case 'unwritable':
      // Only a server that still answers can create the database, so if the server is gone altogether, nothing is kept
      // either.
      await requireCreation(run);
  }
  // The reason why the table cannot be read says what to grant; the failure of the INSERT is only a consequence.
  if ((await outbox.add(row, unreadable ?? reserved.failure)) === 'added') {
    run.reserved = id;
    knowReservation(claiming, id);
  }
  return { kind: 'again' };
}

/** The evidence of the folder that creates a project, which needs nobody's admission. */
async function ownFolder({ ports: { folders } }: Run, path: string): Promise<Judged> {
  const [found, git] = await Promise.all([folders.identify(path), folders.git(path)]);
  return { decision: 'claimed', now: { path, ...found, git }, kept: null };
}

/** The evidence that a row keeps of a folder, and what version 0.1 reads of it. */
function recordedAs(
  { ports: { origin } }: Run,
  judged: Judged,
  before: RowEvidence | null,
): Pick<RegistrarMetadata, 'evidence' | 'git'> {
  const { git } = judged.now;
  const added = keptOrigins(judged, origin);
  const kept = (before?.origins ?? []).filter(
    (one) => !added.some(({ origin: address, path }) => address === one.origin && path === one.path),
  );
  return {
    evidence: {
      ...before,
      origins: [...kept, ...added],
      folder: keptFolder(judged, origin),
      claims: before?.claims ?? [],
    },
    ...(git ? { git: { origins: git.origins, pathInRepository: git.pathInRepository } } : {}),
  };
}

/** A claim that no folder makes has only the id to show that the row it meets next is the one that it reserved. */
function knowReservation(claiming: Claiming, id: string): void {
  if (claiming.claim.folder === null) claiming.claim = { ...claiming.claim, id };
}

/** Records the folder, or gives the row a new name or id, as far as the evidence lets this folder change them. */
export async function changeIdentity(
  run: Run,
  sighting: Sighting,
  { claim, judged }: Claiming,
  decision: 'claim-folder' | 'move-folder' | 'rename' | 're-key',
): Promise<Identified> {
  const { row } = sighting;
  const { folder } = claim;
  const newId = claim.id ?? row.id;
  const plan = {
    'claim-folder': {
      step: `record ${named(folder?.path ?? '')} as the folder of project ${quoted(row.name)}`,
      change: {},
    },
    'move-folder': {
      step: `record ${named(folder?.path ?? '')} as the new folder of project ${quoted(row.name)}`,
      change: {},
    },
    rename: { step: `rename project ${quoted(row.name)} to ${quoted(claim.name)}`, change: { name: claim.name } },
    're-key': {
      step: `change the id of project ${quoted(row.name)} from ${row.id} to ${newId}`,
      change: { id: newId },
    },
  }[decision];
  // A rename can take away the very name that was expected.
  if (decision === 'rename') requireExpected(run.options.expect, { ...row, name: claim.name });
  if (run.options.dryRun) return { kind: 'done', settled: wouldDo(run, sighting, [plan.step]) };

  const claims = folder
    ? { ...row.registrar.claims, [folderKey(folder)]: { name: claim.name, at: run.ports.origin.now() } }
    : (row.registrar.claims ?? {});
  const records = decision !== 'rename' && folder && judged ? await recordedFrom(run, row, judged) : null;
  const change = {
    ...plan.change,
    registrar: {
      claims,
      ...(records && folder ? { folder, ...records } : {}),
      ...(decision === 're-key' ? { formerIds: [...new Set([...(row.registrar.formerIds ?? []), row.id])] } : {}),
    },
  };
  const changed = await changeRow(run, sighting, change, commentFollowing(run, sighting, change));
  if (changed === 'done') noteChange(run, row, claim, decision, judged);
  return { kind: 'again' };
}

async function recordedFrom(run: Run, row: RegistryRow, judged: Judged): Promise<ReturnType<typeof recordedAs>> {
  const git = judged.now.git === undefined ? await run.ports.folders.git(judged.now.path) : judged.now.git;
  const before = row.registrar.evidence ?? { origins: originsOf(row), folder: null, claims: [] };
  return recordedAs(run, { ...judged, now: { ...judged.now, git } }, before);
}

function noteChange(run: Run, row: RegistryRow, claim: Claim, decision: string, judged: Judged | null): void {
  const { warnings } = run;
  const path = claim.folder?.path ?? '';
  if (decision === 'rename') {
    const hint = 'If you did not intend this, change project.name back.';
    warnings.push(
      warning('RENAMED', `Project ${quoted(row.name)} is now named ${quoted(claim.name)}, as the config says.`, hint),
    );
  } else if (decision === 're-key') {
    const message = `Project ${quoted(row.name)} now has the config's id ${claim.id ?? ''}; its former id ${row.id} still finds it.`;
    warnings.push(
      warning('REKEYED', message, 'If you did not intend this, change project.id back; both ids find the project.'),
    );
  } else if (decision === 'claim-folder') {
    warnings.push(firstClaimNoted(row, path));
  } else if (judged?.decision === 'elsewhere') {
    warnings.push(claimedElsewhereNoted(row));
  } else {
    const before = row.registrar.folder?.path ?? '';
    const message =
      before === path
        ? `The folder of project ${quoted(row.name)} was created again; this is its folder now.`
        : `Project ${quoted(row.name)} was in ${named(before)}, which is gone; it is here now.`;
    warnings.push(warning('FOLDER_MOVED', message, 'If this is another project, give it another project.name.'));
  }
}

function creationSteps(claim: Claim, databaseName: string): string[] {
  const shown =
    claim.id === null && claim.databaseName === null ? databaseName.replace(/[0-9a-f]{8}$/, '…') : databaseName;
  return [
    `register project ${quoted(claim.name)}`,
    `create database ${shown}`,
    ...(claim.id === null && claim.folder ? ["write the project's id into the config"] : []),
  ];
}
