import type { Warning } from '../../protocol/model.ts';
import { registrarCommand } from '../../protocol/commandText.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { named, quoted } from '../../protocol/visibleText.ts';
import type { Asker } from './evidence.ts';
import { originsOf } from './evidence.ts';
import { warning } from '../failures.ts';
import type { Host } from './keptFolders.ts';
import { isOnHost, recordedFolders } from './keptFolders.ts';
import type { Claim, FolderGit, RegistryRow } from '../model.ts';

/**
 * A folder that may not claim the project of its config. People are told who owns the project. An agent, which a
 * stranger's file may have sent there, learns nothing about it.
 *
 * @param git what the folder's repository says; null outside one
 */
export function belongsElsewhere(
  claim: Claim,
  row: RegistryRow,
  git: FolderGit | null,
  asker: Asker,
  host: Host,
): RegistrarError {
  if (asker.kind === 'agent') return conflictForAgent();
  const own = originsOf(row)[0]?.origin ?? row.registrar.git?.origins[0] ?? null;
  const here = git?.origins[0] ?? null;
  const [whose, what] = comparison(row, git, host);
  const name = proposedName(claim);
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `${quoted(row.name)} belongs to ${whose}; this folder ${what}. Nothing was read or made.`,
    hint: `${registrarCommand('init', [name], { local: true })} (a database of its own, no file changes) | ${registrarCommand('use', [row.name])} (${sharing(own, here)})`,
    details: {
      name: claim.name,
      project: { id: row.id, name: row.name },
      origin: own,
      folder: claim.folder?.path ?? null,
      folderOrigin: here,
      proposal: name,
      choices: ['init', 'use', 'rename'],
    },
  });
}

/** What an agent gets for any conflict: it must neither learn about the project from a refusal nor decide it. */
export function conflictForAgent(): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message:
      'This folder belongs to another repository than the project that its config names. Nothing was read or made.',
    hint: 'Ask your user; do not run use.',
  });
}

/** What an agent gets for a project that somebody unregistered on purpose. */
export function forgottenForAgent(): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_FORGOTTEN',
    message: 'The project that this folder names was forgotten on purpose. Nothing was read or made.',
    hint: 'Ask your user; do not make another one in its place.',
  });
}

export function droppedForAgent(): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_DROPPED',
    message: 'Dropped by a person. Nothing was read or made.',
    hint: 'Make nothing; tell your user.',
  });
}

/** A folder that would be admitted for a person, but that an agent may have made itself. */
export function waitsForPerson(folder: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `${quoted(folder)} claims a project for the first time, from outside the folder that you were started for. Nothing was read or made.`,
    hint: 'Ask your user to resolve that folder once, in VS Code or a terminal; do not run use.',
  });
}

/**
 * A folder of the project whose config has a new id, but that may not re-key the project, such as a linked worktree.
 */
export function otherId(claim: Claim, row: RegistryRow, asker: Asker): RegistrarError {
  if (asker.kind === 'agent') return conflictForAgent();
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `The config's id is not that of ${quoted(row.name)}, and this folder may not change it. Nothing was read or made.`,
    hint: `${registrarCommand('use', [row.name])} | ${registrarCommand('init', [proposedName(claim)], { local: true })}`,
    details: {
      name: claim.name,
      project: { id: row.id, name: row.name },
      folder: claim.folder?.path ?? null,
      choices: ['use', 'init', 'rename'],
    },
  });
}

/** A local binding whose folder another repository has taken over. */
export function bindingTakenOver(folder: string, name: string, asker: Asker): RegistrarError {
  if (asker.kind === 'agent') return conflictForAgent();
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `This machine binds ${named(folder)} to ${quoted(name)}, but another repository is there now. Nothing was read or made.`,
    hint: `${registrarCommand('use', [name], { local: true })} (bind it again) | registrar use --local --remove (remove the binding)`,
    details: { name, folder, choices: ['use', 'remove'] },
  });
}

/** A person who shares another repository's database has not typed its origin. */
export function originNotConfirmed(
  row: RegistryRow,
  origin: string,
  here: string | null,
  typed: string | null,
): RegistrarError {
  const what = here === null ? 'has no origin' : `is ${named(here)}`;
  const wrong = typed === null ? '' : ` You typed ${quoted(typed)}.`;
  return new RegistrarError({
    code: 'CONFIRMATION_REQUIRED',
    message: `${quoted(row.name)} belongs to ${named(origin)}; this folder ${what}, and would share its database.${wrong} Nothing was done.`,
    hint: registrarCommand('use', [row.name], { confirm: origin }),
    details: { project: { id: row.id, name: row.name }, origin, folderOrigin: here },
  });
}

/** What an agent hears of a name that is taken: not by whom. */
export function nameTakenForAgent(name: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `The name ${quoted(name)} is taken. Nothing was created.`,
    hint: 'Ask your user for another name; do not run use.',
  });
}

/** A local binding to a project that the registry no longer has. */
export function boundProjectGone(folder: string, name: string, cause: RegistrarError): RegistrarError {
  return new RegistrarError(
    {
      code: 'PROJECT_NOT_FOUND',
      message: `This machine binds ${named(folder)} to project ${quoted(name)}, which is not in the registry. Nothing was made.`,
      hint: 'registrar use --local --remove | registrar use PROJECT --local',
      details: { name, folder },
    },
    { cause },
  );
}

/** Given once, when the row has just recorded the folder. */
export function firstClaimNoted(row: RegistryRow, folder: string): Warning {
  return warning(
    'FIRST_CLAIM',
    `Project ${quoted(row.name)} had no folder and now belongs to ${named(folder)}; other folders have to show that they belong to it.`,
    `If this is not its folder: registrar use PROJECT here, and ${registrarCommand('use', [row.name])} in the right one.`,
  );
}

export function claimedElsewhereNoted(row: RegistryRow): Warning {
  return warning(
    'CLAIMED_ELSEWHERE',
    `Project ${quoted(row.name)} was made on another machine; this folder shares its database now.`,
    'If this is another project, give it another project.name and remove project.id.',
  );
}

/** Who owns the project, and what this folder is, each as the end of a clause. */
function comparison(row: RegistryRow, git: FolderGit | null, host: Host): [whose: string, what: string] {
  const [own] = originsOf(row);
  const here = git?.origins[0] ?? null;
  const what = here === null ? 'has no origin' : `is ${named(here)}`;
  const listed = row.registrar.git?.origins[0];
  if (!own) return [listed === undefined ? whereWithoutOrigin(row, host) : named(listed), what];
  if (git?.origins.includes(own.origin) === true) {
    // The addresses are the same, so either the places in the repository differ, or one text means two repositories.
    if (own.path === git.pathInRepository) return [`${named(own.origin)} on another machine`, what];
    return [`${placeIn(own.path)} of ${named(own.origin)}`, `is ${placeIn(git.pathInRepository)} of it`];
  }
  return [named(own.origin), what];
}

function placeIn(path: string): string {
  return path === '' ? 'the root' : quoted(path);
}

function whereWithoutOrigin(row: RegistryRow, host: Host): string {
  const folders = recordedFolders(row);
  if (folders.length === 0) return 'another folder';
  return folders.some((folder) => isOnHost(folder, host)) ? 'a folder on this machine' : 'another machine';
}

/** The claimed name with something of this folder's own, since the claimed one is taken. */
function proposedName({ name, folder }: Claim): string {
  const last = (folder?.path ?? '').split(/[/\\]/).at(-1) ?? '';
  const own = last.replace(/[^a-zA-Z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
  // With a leading dash, it would be an option.
  const base = name.replaceAll(' ', '-').replace(/^-+/, '') || 'project';
  if (own.toLowerCase().startsWith(`${base.toLowerCase()}-`)) return own.slice(0, 100);
  return own === '' || own.toLowerCase() === name.toLowerCase() ? `${base}-2` : `${base}-${own}`.slice(0, 100);
}

/** What sharing means, and whether a question comes first. */
function sharing(own: string | null, here: string | null): string {
  return own === null || own === here ? 'share its database' : 'share its database, asks you';
}
