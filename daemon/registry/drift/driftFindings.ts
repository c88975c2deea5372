import { registrarCommand } from '../../protocol/commandText.ts';
import type { ChoiceAction, DriftFinding, DriftKind, RepairAction } from '../../protocol/drift.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named, quoted } from '../../protocol/visibleText.ts';
import type { Marker, RegistryRow, Sighting } from '../model.ts';
import type { Repair } from './repair.ts';

/** A finding, and the repairs that its automatic actions stand for, in the same order. */
export interface Drifted {
  finding: DriftFinding;
  repairs: Repair[];
}

/** A config file that this daemon has seen, as it is now. */
export interface SeenConfig {
  path: string;
  name: string;
  id: string | null;
}

/** Every kind of finding, one constructor each, so that the same disagreement has the same words everywhere. */

export function orphanDatabase(databaseName: string, marker: Marker, nameTaken: boolean): Drifted {
  const adopt = registrarCommand('projects adopt', [databaseName], nameTaken ? { name: 'NAME' } : {});
  const taken = nameTaken ? '; its name has been taken since, so it needs another one' : '';
  return drifted('orphan-database', { id: marker.projectId, name: marker.name }, databaseName, {
    message: `Database ${named(databaseName)} is project ${quoted(marker.name)}'s (${marker.projectId}), but the registry has no row for it.`,
    risk: 'Nobody can find the project and its data; or another machine created it and has not registered it yet.',
    choices: [
      ['adopt', `register it (${adopt})${taken}`],
      ['leave', 'leave it, if another machine is about to register it'],
    ],
  });
}

export function danglingRow({ row }: Sighting): Drifted {
  return drifted('dangling-row', row, row.databaseName, {
    message: `Project ${quoted(row.name)} is ready, but its database ${named(row.databaseName)} is gone, and no other database is marked as its own.`,
    risk: 'Its data is lost unless there is a backup; nothing is made in its place until a person says so.',
    choices: [
      ['remake', `restore a backup, or make it again, empty (${registrarCommand('projects remake', [row.id])})`],
      ['forget', `take the project out of the registry (${registrarCommand('projects forget', [row.id])})`],
    ],
  });
}

export function markerMissing(sighting: Sighting): Drifted {
  const { row } = sighting;
  return drifted('marker-missing', row, row.databaseName, {
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} carries no marker that says whose it is.`,
    risk: 'A rebuilt registry would not find the project, and a wrong database under this name would not be noticed.',
    repairs: [
      [{ action: 'restore-marker', sighting }, `mark ${named(row.databaseName)} as project ${quoted(row.name)}'s`],
    ],
  });
}

export function markerForeign(
  { row }: Sighting,
  marker: Marker,
  registry: string,
  elsewhere: readonly string[],
): Drifted {
  const whose = marker.registry === registry ? '' : ` of registry ${named(marker.registry)}`;
  return drifted('marker-foreign', row, row.databaseName, {
    message: `Project ${quoted(row.name)} names database ${named(row.databaseName)}, but its marker says project ${quoted(marker.name)} (${marker.projectId})${whose}.`,
    risk: 'The project is refused, since its work would land in somebody else’s database.',
    choices: [
      ...elsewhere.map((database): Choice => pointByHand(row, database)),
      ['rename-database', `if databases were swapped by renaming, rename them back`],
      [
        'forget',
        `take the project out of the registry; the database is not touched (${registrarCommand('projects forget', [row.id])})`,
      ],
    ],
  });
}

/** The row's database belongs to another role, and neither its marker nor the row says that it should. */
export function ownerForeign({ row }: Sighting, owner: string | null): Drifted {
  return drifted('marker-foreign', row, row.databaseName, {
    message: `Project "${row.name}" names database ${row.databaseName}, which belongs to role "${owner ?? 'unknown'}" and does not carry the project's marker.`,
    risk: 'The project is refused, since anybody who may create databases could have put this one in its place.',
    choices: [
      [
        'adopt',
        `if it is the project's, become a member of its owner, then: registrar projects adopt ${row.databaseName}`,
      ],
      [
        'forget',
        `take the project out of the registry; the database is not touched (registrar projects forget ${row.id})`,
      ],
    ],
  });
}

export function markerForgotten({ row }: Sighting): Drifted {
  return drifted('marker-forgotten', row, row.databaseName, {
    message: `Project ${quoted(row.name)} is registered, but the marker of ${named(row.databaseName)} says that it was forgotten on purpose.`,
    risk: 'The project is refused until somebody says which of the two is meant.',
    choices: [
      ['adopt', `keep the project (${registrarCommand('projects adopt', [row.databaseName])})`],
      ['forget', `forget it (${registrarCommand('projects forget', [row.id])})`],
    ],
  });
}

export function schemaOld(sighting: Sighting, version: string | null, wanted: string): Drifted {
  const { row } = sighting;
  const has = version === null ? 'no project schema' : `project schema ${version.slice(0, 8)}`;
  return drifted('schema-old', row, row.databaseName, {
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} has ${has}; the configured one is ${wanted.slice(0, 8)}.`,
    risk: 'Programs that expect the configured schema may fail there.',
    repairs: [
      [
        { action: 'apply-schema', sighting, version: wanted },
        `apply the configured schema to ${named(row.databaseName)}`,
      ],
    ],
  });
}

export function databaseRenamed(sighting: Sighting, databaseName: string, isValidName: boolean): Drifted {
  const { row } = sighting;
  const point: Repair = { action: 'point-to-database', sighting, databaseName };
  return drifted('database-renamed', row, row.databaseName, {
    message: `Database ${named(row.databaseName)} of project ${quoted(row.name)} is gone, but ${named(databaseName)} carries its marker.`,
    risk: 'The project is refused until the registry names that database.',
    repairs: isValidName ? [[point, `point project ${quoted(row.name)} at ${named(databaseName)}`]] : [],
    choices: [
      [
        'rename-database',
        `rename it back (ALTER DATABASE ${sqlIdentifier(databaseName)} RENAME TO ${sqlIdentifier(row.databaseName)})${isValidName ? '' : ', since it is no name for a project’s database'}`,
      ],
    ],
  });
}

export function interruptedDrop(sighting: Sighting): Drifted {
  const { row } = sighting;
  return drifted('interrupted-drop', row, row.databaseName, {
    message: `Project ${quoted(row.name)} is being dropped, and the drop has not finished.`,
    risk: 'Its name stays taken, and every resolve is refused, until the drop is finished.',
    repairs: [
      [
        { action: 'finish-drop', sighting },
        `finish the drop that was confirmed: database ${named(row.databaseName)} and its row`,
      ],
    ],
  });
}

/** @param project whose database it was, null when nothing says that */
export function remainsOfDrop(databaseName: string, project: { id: string; name: string } | null): Drifted {
  return drifted('interrupted-drop', project, databaseName, {
    message: `A DROP of database ${named(databaseName)} was cut short; PostgreSQL lets nobody connect to what is left of it.`,
    risk: 'It takes up space and its name; nothing in it can be read any more.',
    repairs: [[{ action: 'remove-remains', databaseName }, `remove what is left of ${named(databaseName)}`]],
  });
}

export function interruptedCreation(sighting: Sighting): Drifted {
  const { row } = sighting;
  return drifted('interrupted-creation', row, row.databaseName, {
    message: `Project ${quoted(row.name)} was reserved at ${row.createdAt}, and its creation has not finished.`,
    risk: 'Until the next resolve the name is taken by a project that has no usable database.',
    repairs: [
      [{ action: 'finish-creation', sighting }, `complete the project with database ${named(row.databaseName)}`],
    ],
    choices: [['forget', `give it up (${registrarCommand('projects forget', [row.id])})`]],
  });
}

/** Databases beside the row's own that carry its id; `isOwn` tells whether the row's database carries it, too. */
export function sharedId({ row }: Sighting, elsewhere: readonly string[], isOwn: boolean): Drifted {
  const own = isOwn
    ? ` as well as its own, ${named(row.databaseName)}`
    : `, and its own, ${named(row.databaseName)}, does not`;
  return drifted('id-conflict', row, elsewhere[0] ?? row.databaseName, {
    message: `${sentenceList(elsewhere)} ${elsewhere.length === 1 ? 'carries' : 'carry'} the id of project ${quoted(row.name)}${own}.`,
    risk: 'A rebuilt registry could take the wrong one for the project’s.',
    choices: [
      ...(isOwn ? [] : elsewhere.map((name) => pointByHand(row, name))),
      ...elsewhere.map((name): Choice => ['remove-marker', removeMarker(name)]),
      ...(isOwn ? [['leave', 'keep both, if one is a copy on purpose'] satisfies Choice] : []),
    ],
  });
}

/** Databases that no row lists and that carry one id. */
export function sharedOrphanId(marker: Marker, databaseNames: string[]): Drifted {
  return drifted('id-conflict', { id: marker.projectId, name: marker.name }, databaseNames[0] ?? '', {
    message: `${sentenceList(databaseNames)} carry the id of project ${quoted(marker.name)} (${marker.projectId}), which the registry does not list.`,
    risk: 'Only one of them can be the project’s; whoever registers the wrong one works on a copy.',
    choices: [
      ...databaseNames.map((name): Choice => [
        'adopt',
        `register ${named(name)} (${registrarCommand('projects adopt', [name])})`,
      ]),
      ...databaseNames.map((name): Choice => ['remove-marker', removeMarker(name)]),
    ],
  });
}

/** A database that no row lists, with an id of a project whose database is another. */
export function copyOfProject(databaseName: string, marker: Marker, row: RegistryRow): Drifted {
  return drifted('id-conflict', row, databaseName, {
    message: `Database ${named(databaseName)} carries ${marker.projectId}, an id of project ${quoted(row.name)}, whose database is ${named(row.databaseName)}.`,
    risk: 'A rebuilt registry would make it a project of its own with that id.',
    choices: [
      ['remove-marker', removeMarker(databaseName)],
      ['leave', 'keep both, if it is a copy on purpose'],
    ],
  });
}

export function unknownId(config: SeenConfig, row: RegistryRow): Drifted {
  return drifted('id-conflict', row, row.databaseName, {
    message: `${named(config.path)} says id ${config.id ?? ''}, which is no project; its name is project ${quoted(row.name)} (${row.id}).`,
    risk: 'A resolve there gives the project the new id if the folder is the project’s, and is refused otherwise.',
    choices: [
      ['use', `bind the folder to it (${registrarCommand('use', [row.id], { directory: folderOf(config.path) })})`],
      ['edit-config', 'or change project.name there'],
    ],
  });
}

export function markerNameDiffers(sighting: Sighting, marker: Marker): Drifted {
  const { row } = sighting;
  return drifted('name-conflict', row, row.databaseName, {
    message: `The marker of ${named(row.databaseName)} says ${quoted(marker.name)}, the registry says ${quoted(row.name)}.`,
    risk: 'A rebuilt registry would bring the old name back.',
    repairs: [
      [
        { action: 'update-marker', sighting },
        `write ${quoted(row.name)} into the marker of ${named(row.databaseName)}`,
      ],
    ],
  });
}

export function configContradicts(config: SeenConfig, byId: RegistryRow, byName: RegistryRow): Drifted {
  return drifted('name-conflict', byId, byId.databaseName, {
    message: `${named(config.path)} has the id of project ${quoted(byId.name)} and the name of project ${byName.id} (${quoted(byName.name)}).`,
    risk: 'Every resolve there is refused, since the two are different projects.',
    choices: [
      [
        'use',
        `bind the folder to ${quoted(byId.name)} (${registrarCommand('use', [byId.id], { directory: folderOf(config.path) })})`,
      ],
      [
        'use',
        `or to ${quoted(byName.name)} (${registrarCommand('use', [byName.id], { directory: folderOf(config.path) })})`,
      ],
      ['edit-config', 'or change project.name there'],
    ],
  });
}

export function pendingProject(row: RegistryRow, reason: string): Drifted {
  return drifted('pending', row, row.databaseName, {
    message: `Project ${quoted(row.name)} is not registered yet: ${reason}.`,
    risk: 'Only this machine knows it until then.',
    repairs: [[{ action: 'deliver', id: row.id }, `try now to register project ${quoted(row.name)}`]],
  });
}

export function parkedProject(row: RegistryRow, reason: string): Drifted {
  return drifted('parked', row, row.databaseName, {
    message: `Project ${quoted(row.name)} cannot be registered: ${reason}.`,
    risk: 'Only this machine knows it, and trying again does not help.',
    choices: [
      ['use', `use the project that is in its way, in its folder (${registrarCommand('use', [row.name])})`],
      ['rename', `give it another name (${registrarCommand('projects rename', [row.id, 'NAME'])})`],
      ['forget', `give it up; its database stays (${registrarCommand('projects forget', [row.id])})`],
    ],
  });
}

export function configWithoutRow(config: SeenConfig, orphan: string | null): Drifted {
  const claim = config.id === null ? '' : ` (id ${config.id})`;
  const project = config.id === null ? null : { id: config.id, name: config.name };
  return drifted('config-without-row', project, orphan, {
    message: `${named(config.path)} claims project ${quoted(config.name)}${claim}, which the registry does not list.`,
    risk:
      orphan === null
        ? 'The next resolve there creates a new, empty project.'
        : 'Nobody can find the project and its data by its name until the database is registered again.',
    choices: [
      orphan === null
        ? ['resolve', `create it (${registrarCommand('resolve', [], { directory: folderOf(config.path) })})`]
        : ['adopt', `register the database that carries it (${registrarCommand('projects adopt', [orphan])})`],
      ['edit-config', 'or change or remove the file'],
    ],
  });
}

export function folderGone({ row }: Sighting, path: string): Drifted {
  return drifted('folder-gone', row, row.databaseName, {
    message: `The folder of project ${quoted(row.name)}, ${named(path)}, is gone from this machine.`,
    risk: 'None: the project is found by id and name, and by the folder that it is moved to.',
  });
}

export function unownedDatabase(databaseName: string): Drifted {
  return drifted('unowned-database', null, databaseName, {
    message: `Database ${named(databaseName)} is named like a project's, but carries no marker, and this registry has no row for it.`,
    risk: 'Perhaps nobody uses it; or it belongs to another registry, such as one of codebase-mcp.',
    choices: [
      ['adopt', `register it here (${registrarCommand('projects adopt', [databaseName])})`],
      ['leave', 'leave it, if it belongs to somebody'],
    ],
  });
}

/** A stranger's database that looks like a project's. */
export function strangersDatabase(databaseName: string, owner: string | null): Drifted {
  return drifted('unowned-database', null, databaseName, {
    message: `Database ${databaseName} looks like a project's, but belongs to role "${owner ?? 'unknown'}", which this daemon's role is not a member of.`,
    risk: 'None: what it says of itself does not count.',
    choices: [['leave', 'leave it; or become a member of its owner, if it is yours']],
  });
}

type Choice = [ChoiceAction, string];

interface Said {
  message: string;
  risk: string;
  repairs?: [Repair, string][];
  choices?: Choice[];
}

function drifted(
  kind: DriftKind,
  project: { id: string; name: string } | null,
  database: string | null,
  { message, risk, repairs = [], choices = [] }: Said,
): Drifted {
  const automatic = ([{ action }, description]: [{ action: RepairAction }, string]) =>
    ({ action, description, automatic: true }) as const;
  return {
    finding: {
      kind,
      ...(project ? { project: { id: project.id, name: project.name } } : {}),
      ...(database === null ? {} : { database }),
      message,
      risk,
      actions: [
        ...repairs.map(automatic),
        ...choices.map(([action, description]) => ({ action, description, automatic: false }) as const),
      ],
    },
    repairs: repairs.map(([repair]) => repair),
  };
}

function pointByHand(row: RegistryRow, databaseName: string): Choice {
  return [
    'point-to-database',
    `if ${named(databaseName)} is the project's, set project.database_name to it in the config of ${quoted(row.name)}`,
  ];
}

function removeMarker(databaseName: string): string {
  return `if ${named(databaseName)} is not the project's, remove its marker (COMMENT ON DATABASE ${sqlIdentifier(databaseName)} IS NULL)`;
}

function folderOf(configPath: string): string {
  return configPath.replace(/[\\/]\.codebase-mcp[\\/]config\.json$/, '');
}

function sentenceList(names: readonly string[]): string {
  return `${names.length === 1 ? 'Database' : 'Databases'} ${names.join(' and ')}`;
}
