import { dayAndTime } from '../protocol/clockTime.ts';
import { registrarCommand } from '../protocol/commandText.ts';
import type { Warning } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { sizeText } from '../protocol/sizeText.ts';
import { sqlIdentifier } from '../protocol/sqlText.ts';
import { named, quoted } from '../protocol/visibleText.ts';
import type { Claim, Folder, RegistryEvent, RegistryRow } from './model.ts';
import type { DropObstacle } from './ports.ts';

/** Refusals of the registry's rules, one constructor each, so that the same situation has the same words everywhere. */

export function projectNotFound(reference: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_NOT_FOUND',
    message: `No project has the id or name ${quoted(reference)}.`,
    hint: 'registrar projects list shows all projects; registrar projects create NAME creates one.',
    details: { reference },
  });
}

export function projectAmbiguous(reference: string, one: RegistryRow, other: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_AMBIGUOUS',
    message: `${quoted(reference)} is the id of project ${quoted(one.name)} and the name of project ${other.id}.`,
    hint: `Say which: ${quoted(one.name)} or ${other.id}.`,
    details: { projects: names(one, other) },
  });
}

export function shortIdAmbiguous(reference: string, one: RegistryRow, other: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_AMBIGUOUS',
    message: `The ids of more than one project begin with ${named(reference)}: ${one.id} (${quoted(one.name)}) and ${other.id} (${quoted(other.name)}).`,
    hint: 'Use the whole id, or the name.',
    details: { projects: names(one, other) },
  });
}

export function projectMismatch(expected: string, found: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_MISMATCH',
    message: `Expected project ${quoted(expected)}, but this is ${quoted(found)}. Nothing was done.`,
    hint: 'Check the directory, or name the project that you mean.',
    details: { expected, found },
  });
}

export function nameConflict(claim: Claim, row: RegistryRow): RegistrarError {
  const owner = row.registrar.folder;
  const whose = owner
    ? `belongs to ${describeFolder(owner, claim.folder)}, a different folder or repository`
    : 'is another project';
  const asking = claim.folder ? ` (asked from ${named(claim.folder.path)})` : '';
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `${quoted(claim.name)} ${whose}${asking}. Nothing was created.`,
    hint: `${registrarCommand('use', [row.name])} (share it), or change project.name`,
    details: {
      name: claim.name,
      project: { id: row.id, name: row.name },
      folders: [owner ?? null, claim.folder],
      choices: ['use', 'rename'],
    },
  });
}

export function nameTaken(name: string, row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `The name ${quoted(name)} is taken by project ${row.id}. Nothing was created.`,
    hint: `${registrarCommand('use', [row.id])} (share it), or choose another name`,
    details: { name, project: { id: row.id, name: row.name }, choices: ['use', 'rename'] },
  });
}

export function contradiction(claim: Claim, byId: RegistryRow, byName: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `The config's id is project ${quoted(byId.name)}, its name is project ${byName.id}. Neither was touched.`,
    hint: `${registrarCommand('use', [byId.name])} or ${registrarCommand('use', [byName.id])}, or change project.name`,
    details: {
      name: claim.name,
      projects: names(byId, byName),
      choices: ['use', 'rename'],
    },
  });
}

export function unlistedDatabase(claim: Claim, databaseName: string, id: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `Database ${named(databaseName)} carries the name ${quoted(claim.name)} (id ${id}), but the registry does not list it. Nothing was created.`,
    hint: `${registrarCommand('projects adopt', [databaseName])}, or change project.name`,
    details: {
      name: claim.name,
      database: databaseName,
      project: { id, name: claim.name },
      choices: ['adopt', 'rename'],
    },
  });
}

export function projectForgotten(name: string, databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_FORGOTTEN',
    message: `Project ${quoted(name)} was forgotten on purpose; its database ${named(databaseName)} is untouched.`,
    hint: `${registrarCommand('projects adopt', [databaseName])} brings it back; another project.name starts a new project`,
    details: { name, database: databaseName, choices: ['adopt', 'rename'] },
  });
}

/** @param name the name that the asking config has */
export function projectDropped(name: string, event: RegistryEvent): RegistrarError {
  const who = event.by?.split('@')[0] ?? event.actor;
  const { at, host, databaseName: database, bytes, tables } = event;
  const measured = bytes === null || tables === null ? '' : ` (${sizeText(bytes)}, ${counted(tables, 'table')})`;
  return new RegistrarError({
    code: 'PROJECT_DROPPED',
    message: `${named(who)} dropped ${named(event.name)}${measured} on ${dayAndTime(at)}, from ${named(host)}. Nothing was made.`,
    hint: `${registrarCommand('projects create', [name], { directory: '.' })} (a new, empty one), or registrar use PROJECT`,
    details: {
      name,
      project: { id: event.projectId, name: event.name },
      ...{ database, at, host, by: event.by, actor: event.actor, bytes, tables },
      choices: ['create', 'use'],
    },
  });
}

function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? '' : 's'}`;
}

export function projectDropping(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_FORGOTTEN',
    message: `Project ${quoted(row.name)} is being dropped.`,
    hint: 'Wait until that is done; then its name is free.',
    details: { name: row.name, database: row.databaseName, state: 'dropping' },
  });
}

export function dropUnconfirmed(row: RegistryRow): RegistrarError {
  const consequence = `Dropping project ${quoted(row.name)} destroys database ${named(row.databaseName)} with everything in it.`;
  return unconfirmed(row, 'projects drop', `${consequence} Nothing was done.`);
}

export function remakeUnconfirmed(row: RegistryRow): RegistrarError {
  const consequence = `Database ${named(row.databaseName)} of project ${quoted(row.name)} is gone; what is made in its place is empty.`;
  return unconfirmed(row, 'projects remake', `${consequence} Nothing was made.`);
}

/** A person has to type the name of the database that it is about. */
function unconfirmed(row: RegistryRow, command: string, message: string): RegistrarError {
  const hint = registrarCommand(command, [row.name], { confirm: row.databaseName });
  return new RegistrarError({ code: 'CONFIRMATION_REQUIRED', message, hint, details: ofDatabase(row) });
}

/** Registrar checks what the server would refuse before it changes anything. */
export function dropRefused(row: RegistryRow, { what, hint }: DropObstacle): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} cannot be dropped: ${what}. Nothing was done.`,
    hint,
    details: ofDatabase(row),
  });
}

export function mayNotDrop(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `This role does not own database ${named(row.databaseName)}, so it may not drop it. Nothing was done.`,
    hint: 'Drop it as its owner or as a superuser.',
    details: { database: row.databaseName, privilege: 'ownership' },
  });
}

export function mayNotMark(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `This role does not own database ${named(row.databaseName)}, so it may not mark it.`,
    hint: 'Repair as its owner or as a superuser.',
    details: { database: row.databaseName, privilege: 'ownership' },
  });
}

export function beingMade(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `Project ${quoted(row.name)} is being created at the moment. Nothing was dropped.`,
    hint: 'Drop it when that is done, or try again in a minute.',
    details: ofDatabase(row),
  });
}

export function databaseForeign(
  row: Pick<RegistryRow, 'id' | 'name'>,
  databaseName: string,
  owner: string,
): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_FOREIGN',
    message: `Database ${named(databaseName)} is not project ${quoted(row.name)}'s: ${owner}. It was not touched.`,
    hint: 'Correct project.database_name or the registry entry; registrar projects adopt DATABASE registers an unowned database.',
    details: ofDatabase(row, databaseName),
  });
}

/** Only the registry can say who owns an unmarked database, and it did not or could not mark it. */
export function markerMissing({
  id,
  name,
  databaseName,
}: Pick<RegistryRow, 'id' | 'name' | 'databaseName'>): RegistrarError {
  return new RegistrarError({
    code: 'MARKER_MISSING',
    message: `Database ${named(databaseName)} does not say that it is project ${quoted(name)}'s: it carries no marker. Nothing was handed over.`,
    hint: `${registrarCommand('resolve', [], { project: name })} marks it, if the database's owner runs it and the registry can be written.`,
    details: { project: { id, name }, database: databaseName },
  });
}

/** @param label the servers that were asked */
export function databaseGone(
  { id, name, databaseName }: Pick<RegistryRow, 'id' | 'name' | 'databaseName'>,
  label: string,
  cause: unknown,
): RegistrarError {
  return new RegistrarError(
    {
      code: 'DATABASE_MISSING',
      message: `Database ${named(databaseName)} of project ${quoted(name)} is not on ${named(label)} any more: it was dropped or renamed. Nothing was handed over.`,
      hint: 'registrar drift shows what the server has; rename the database back, or restore it from a backup.',
      details: { project: { id, name }, database: databaseName },
    },
    { cause },
  );
}

/** @param role who asks, and would have to be a member of the owner */
export function databaseOfStranger(databaseName: string, owner: string | null, role: string): RegistrarError {
  const name = owner ?? 'unknown';
  return new RegistrarError({
    code: 'DATABASE_FOREIGN',
    message: `Database ${named(databaseName)} belongs to role ${named(name)}, which role ${named(role)} is not a member of. It was not touched.`,
    hint: `If it is yours: GRANT ${sqlIdentifier(name)} TO ${sqlIdentifier(role)}; or ask its owner to register it. Otherwise, choose another name.`,
    details: { database: databaseName, owner, role },
  });
}

/** The database of a usable project is gone. Nothing takes its place until a person says so. */
export function databaseVanished(row: RegistryRow, label: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `${named(row.databaseName)} of project ${quoted(row.name)} no longer exists on ${named(label)}; its data is lost unless you have a backup. Nothing was made.`,
    hint: `${registrarCommand('projects remake', [row.name])} makes it again, empty; or restore it from a backup.`,
    details: {
      project: { id: row.id, name: row.name },
      database: row.databaseName,
      ...(row.registrar.lastUsedAt === undefined ? {} : { lastUsedAt: row.registrar.lastUsedAt }),
      choices: ['remake'],
    },
  });
}

export function nothingToRemake(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} is there. Nothing was done.`,
    hint: `${registrarCommand('resolve', [], { project: row.name })} says what state the project is in.`,
    details: ofDatabase(row),
  });
}

export function databaseOccupied(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_FOREIGN',
    message: `Database ${named(row.databaseName)} holds somebody's tables and carries no project's marker. It was not touched.`,
    hint: `${registrarCommand('projects adopt', [row.databaseName])} makes it project ${quoted(row.name)}'s; or set project.database_name to another one.`,
    details: { project: { id: row.id, name: row.name }, database: row.databaseName, choices: ['adopt'] },
  });
}

export function databaseRenamed(row: RegistryRow, found: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} is gone, but ${named(found)} carries its marker.`,
    hint: `Set project.database_name to ${named(found)} in the config, or rename the database back.`,
    details: { project: { id: row.id, name: row.name }, database: row.databaseName, found, choices: ['repoint'] },
  });
}

export function overrideMissing(row: RegistryRow, databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `The config names database ${named(databaseName)}, which does not exist; project ${quoted(row.name)} has ${named(row.databaseName)}.`,
    hint: 'Remove project.database_name, or rename the database to it first.',
    details: ofDatabase(row, databaseName),
  });
}

export function nameInvalid(name: string, reason: string, proposal: string): RegistrarError {
  return new RegistrarError({
    code: 'NAME_INVALID',
    message: `${quoted(name.length > 60 ? `${name.slice(0, 60)}…` : name)} cannot be a project's name: ${reason}. Nothing was made.`,
    hint: `For example: ${proposal}`,
    details: { proposal },
  });
}

export function databaseNameInvalid(databaseName: string, reason: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_NAME_INVALID',
    message: `${named(databaseName)} cannot be a project's database: ${reason}.`,
    hint: 'Rename it first, for example: ALTER DATABASE … RENAME TO cb_proj_shop_00000001;',
    details: { database: databaseName },
  });
}

export function databaseNotThere(databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `There is no database ${named(databaseName)} on this server.`,
    hint: 'Check its name (psql -l lists what there is) and the server (registrar postgres show).',
    details: { database: databaseName },
  });
}

export function mayNotCreate(role: string, label: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `Role ${named(role)} may not create databases on ${named(label)}. Nothing was made.`,
    hint: `As a superuser: ALTER ROLE ${sqlIdentifier(role)} CREATEDB;`,
    details: { role, privilege: 'CREATEDB' },
  });
}

export function serverReadOnly(label: string): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_READ_ONLY',
    message: `${named(label)} is read-only (a standby, or configured that way). Nothing was made.`,
    hint: 'Connect to the primary: target_session_attrs=read-write in the address chooses it.',
  });
}

export function nothingMade(databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `The server said that it created ${named(databaseName)}, but the database is not there.`,
    hint: 'Check the server’s log and whatever is in between (a proxy, a pooler); then resolve again.',
    details: { database: databaseName },
  });
}

/** The server disappeared in the middle: unlike other refusals, this one may have created something. */
export function interrupted(error: RegistrarError): RegistrarError {
  return new RegistrarError(
    {
      ...error.toReport(),
      message: `${error.message.replace(/\.$/, '')}. The next resolve completes what was begun.`,
      details: { ...error.details, begun: true },
    },
    { cause: error },
  );
}

export function notSettled(name: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `Project ${quoted(name)} kept changing while it was resolved.`,
    hint: 'Resolve again. If it keeps happening, two programs are changing the project against each other.',
  });
}

export function warning(code: Warning['code'], message: string, hint: string): Warning {
  return { code, message, hint };
}

function describeFolder(owner: Folder, asking: Folder | null): string {
  return asking && asking.host !== owner.host ? `${named(owner.path)} on ${named(owner.host)}` : named(owner.path);
}

function ofDatabase(
  { id, name, databaseName }: Pick<RegistryRow, 'id' | 'name'> & { databaseName?: string },
  database = databaseName,
): { project: { id: string; name: string }; database: string | undefined } {
  return { project: { id, name }, database };
}

function names(...rows: readonly RegistryRow[]): { id: string; name: string }[] {
  return rows.map(({ id, name }) => ({ id, name }));
}
