import type { Warning } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Claim, Folder, RegistryRow } from './model.ts';

/** Refusals of the registry's rules, one constructor each, so that the same situation has the same words everywhere. */

export function projectNotFound(reference: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_NOT_FOUND',
    message: `No project has the id or name "${reference}".`,
    hint: 'registrar projects list shows what there is; registrar projects create NAME makes one.',
    details: { reference },
  });
}

export function projectAmbiguous(reference: string, one: RegistryRow, other: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_AMBIGUOUS',
    message: `"${reference}" is the id of project "${one.name}" and the name of project ${other.id}.`,
    hint: `Say which: ${one.name} or ${other.id}.`,
    details: { projects: [one, other].map(({ id, name }) => ({ id, name })) },
  });
}

export function shortIdAmbiguous(reference: string, one: RegistryRow, other: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_AMBIGUOUS',
    message: `The ids of more than one project begin with ${reference}: ${one.id} ("${one.name}") and ${other.id} ("${other.name}").`,
    hint: 'Use the whole id, or the name.',
    details: { projects: [one, other].map(({ id, name }) => ({ id, name })) },
  });
}

export function projectMismatch(expected: string, found: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_MISMATCH',
    message: `Expected project "${expected}", but this is "${found}". Nothing was done.`,
    hint: 'Check the directory, or name the project that you mean.',
    details: { expected, found },
  });
}

export function nameConflict(claim: Claim, row: RegistryRow): RegistrarError {
  const owner = row.registrar.folder;
  const whose = owner
    ? `belongs to ${describeFolder(owner, claim.folder)}, a different folder or repository`
    : 'is another project';
  const asking = claim.folder ? ` (asked from ${claim.folder.path})` : '';
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `"${claim.name}" ${whose}${asking}. Nothing was created.`,
    hint: `registrar use ${quoted(row.name)} (share it), or change project.name`,
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
    message: `The name "${name}" is taken by project ${row.id}. Nothing was created.`,
    hint: `registrar use ${row.id} (share it), or choose another name`,
    details: { name, project: { id: row.id, name: row.name }, choices: ['use', 'rename'] },
  });
}

export function contradiction(claim: Claim, byId: RegistryRow, byName: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `The config's id is project "${byId.name}", its name is project ${byName.id}. Neither was touched.`,
    hint: `registrar use ${quoted(byId.name)} or registrar use ${byName.id}, or change project.name`,
    details: {
      name: claim.name,
      projects: [byId, byName].map(({ id, name }) => ({ id, name })),
      choices: ['use', 'rename'],
    },
  });
}

export function unlistedDatabase(claim: Claim, databaseName: string, id: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `Database ${databaseName} carries the name "${claim.name}" (id ${id}), but the registry does not list it. Nothing was created.`,
    hint: `registrar projects adopt ${databaseName}, or change project.name`,
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
    message: `Project "${name}" was forgotten on purpose; its database ${databaseName} is untouched.`,
    hint: `registrar projects adopt ${databaseName} brings it back; another project.name starts a new project`,
    details: { name, database: databaseName, choices: ['adopt', 'rename'] },
  });
}

export function projectDropping(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_FORGOTTEN',
    message: `Project "${row.name}" is being dropped.`,
    hint: 'Wait until that is done; then its name is free.',
    details: { name: row.name, database: row.databaseName },
  });
}

export function confirmationRequired(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'CONFIRMATION_REQUIRED',
    message: `Dropping project "${row.name}" destroys database ${row.databaseName} with everything in it. Nothing was done.`,
    hint: `registrar projects drop ${quoted(row.name)} --confirm ${row.databaseName}`,
    details: { project: { id: row.id, name: row.name }, database: row.databaseName },
  });
}

export function mayNotDrop(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `This role does not own database ${row.databaseName}, so it may not drop it. Nothing was done.`,
    hint: 'Drop it as its owner or as a superuser.',
    details: { database: row.databaseName, privilege: 'ownership' },
  });
}

export function mayNotMark(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `This role does not own database ${row.databaseName}, so it may not mark it.`,
    hint: 'Repair as its owner or as a superuser.',
    details: { database: row.databaseName, privilege: 'ownership' },
  });
}

export function beingMade(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `Project "${row.name}" is being made at the moment. Nothing was dropped.`,
    hint: 'Drop it when that is done, or in a minute.',
    details: { project: { id: row.id, name: row.name }, database: row.databaseName },
  });
}

export function databaseForeign(
  row: Pick<RegistryRow, 'id' | 'name'>,
  databaseName: string,
  owner: string,
): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_FOREIGN',
    message: `Database ${databaseName} is not project "${row.name}"'s: ${owner}. It was not touched.`,
    hint: 'Correct project.database_name or the registry entry; registrar projects adopt DATABASE registers an unowned database.',
    details: { project: { id: row.id, name: row.name }, database: databaseName },
  });
}

export function databaseOccupied(row: RegistryRow): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_FOREIGN',
    message: `Database ${row.databaseName} holds somebody's tables and carries no project's marker. It was not touched.`,
    hint: `registrar projects adopt ${row.databaseName} makes it the project "${row.name}"'s; or set project.database_name to another.`,
    details: { project: { id: row.id, name: row.name }, database: row.databaseName, choices: ['adopt'] },
  });
}

export function databaseRenamed(row: RegistryRow, found: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `Database ${row.databaseName} of project "${row.name}" is gone, but ${found} carries its marker.`,
    hint: `Set project.database_name to ${found} in the config, or rename the database back.`,
    details: { project: { id: row.id, name: row.name }, database: row.databaseName, found, choices: ['repoint'] },
  });
}

export function overrideMissing(row: RegistryRow, databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `The config names database ${databaseName}, which is not there; project "${row.name}" has ${row.databaseName}.`,
    hint: 'Remove project.database_name, or rename the database to it first.',
    details: { project: { id: row.id, name: row.name }, database: databaseName },
  });
}

export function nameInvalid(name: string, reason: string, proposal: string): RegistrarError {
  return new RegistrarError({
    code: 'NAME_INVALID',
    message: `"${name.length > 60 ? `${name.slice(0, 60)}…` : name}" cannot be a project's name: ${reason}. Nothing was made.`,
    hint: `For example: ${proposal}`,
    details: { proposal },
  });
}

export function databaseNameInvalid(databaseName: string, reason: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_NAME_INVALID',
    message: `${databaseName} cannot be a project's database: ${reason}.`,
    hint: 'Rename it first, for example: ALTER DATABASE … RENAME TO cb_proj_shop_00000001;',
    details: { database: databaseName },
  });
}

export function databaseNotThere(databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'DATABASE_MISSING',
    message: `There is no database ${databaseName} on this server.`,
    hint: 'Check its name (psql -l lists what there is) and the server (registrar postgres show).',
    details: { database: databaseName },
  });
}

export function mayNotCreate(role: string, label: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `Role ${role} may not create databases on ${label}. Nothing was made.`,
    hint: `As a superuser: ALTER ROLE "${role}" CREATEDB;`,
    details: { role, privilege: 'CREATEDB' },
  });
}

export function serverReadOnly(label: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `${label} is read only (a standby, or set so). Nothing was made.`,
    hint: 'Connect to the primary: target_session_attrs=read-write in the address chooses it.',
  });
}

export function nothingMade(databaseName: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `The server said that it created ${databaseName}, but the database is not there.`,
    hint: 'Look at the server’s log and at whatever stands between (a proxy, a pooler); then resolve again.',
    details: { database: databaseName },
  });
}

/** A server that went away in the middle: unlike other refusals, this one may have made something. */
export function interrupted(error: RegistrarError): RegistrarError {
  return new RegistrarError(
    {
      ...error.toReport(),
      message: `${error.message.replace(/\.$/, '')}. What was begun is completed by the next resolve.`,
      details: { ...error.details, begun: true },
    },
    { cause: error },
  );
}

export function notSettled(name: string): RegistrarError {
  return new RegistrarError({
    code: 'PROVISION_FAILED',
    message: `Project "${name}" kept changing while it was resolved.`,
    hint: 'Resolve again; if it goes on, two programs are changing the project against each other.',
  });
}

export function warning(code: Warning['code'], message: string, hint: string): Warning {
  return { code, message, hint };
}

function describeFolder(owner: Folder, asking: Folder | null): string {
  return asking && asking.host !== owner.host ? `${owner.path} on ${owner.host}` : owner.path;
}

function quoted(name: string): string {
  return name.includes(' ') ? `"${name}"` : name;
}
