import type { StoredRow } from '../support/world/server.ts';
import { ServerError } from '../support/world/serverError.ts';
import { databaseAt, folderAt, nameAt, names, type Scene } from './scene.ts';

type Disturbance = (scene: Scene, argument: number) => void;

/** Two that configs may name. */
function chosenDatabase(argument: number): string {
  return `cb_proj_chosen_0000000${String(argument % 4)}`;
}

/** What others do: people, other programs, the server, the clock. */
const disturbances = {
  'the clock jumps': ({ world }, argument) => {
    world.clock.move(argument % 2 === 0 ? 120_000 : -30_000);
  },
  'the server is restarted': ({ world: { server } }) => {
    server.stop();
    server.start();
  },
  'the registry refuses rows': ({ world: { server } }) => {
    server.refusesRows = new ServerError('53100', 'No space left on device');
  },
  'the registry takes rows': ({ world: { server } }) => {
    server.refusesRows = null;
  },
  'a config gets another name': (scene, argument) => {
    const { config } = scene.world.machine.at(folderAt(scene, argument));
    if (config) config.name = nameAt(Math.floor(argument / scene.folders.length));
  },
  'a config loses its id': (scene, argument) => {
    const { config } = scene.world.machine.at(folderAt(scene, argument));
    if (config) config.id = null;
  },
  'a config gets a new id': (scene, argument) => {
    const { config } = scene.world.machine.at(folderAt(scene, argument));
    if (config) config.id = scene.world.newId();
  },
  'a config gets the id of another folder': (scene, argument) => {
    const { machine } = scene.world;
    const { config } = machine.at(folderAt(scene, argument));
    if (config) config.id = machine.at(folderAt(scene, argument + 1)).config?.id ?? null;
  },
  'a config chooses a database': (scene, argument) => {
    const { config } = scene.world.machine.at(folderAt(scene, argument));
    if (config) config.databaseName = argument % 2 === 0 ? chosenDatabase(argument) : null;
  },
  'a database is dropped behind our back': (scene, argument) => {
    const databaseName = databaseAt(scene, argument);
    if (databaseName === null) return;
    scene.ledger.excused.add(databaseName);
    scene.world.server.databases.delete(databaseName);
  },
  'a database is renamed behind our back': (scene, argument) => {
    const databaseName = databaseAt(scene, argument);
    if (databaseName === null) return;
    const to = `cb_proj_moved_${scene.world.newId().slice(0, 8)}`;
    scene.ledger.excused.add(databaseName).add(to);
    scene.world.renameDatabase(databaseName, to);
  },
  'a DROP is cut short': (scene, argument) => {
    const databaseName = databaseAt(scene, argument);
    const database = scene.world.server.databases.get(databaseName ?? '');
    // Nobody but its owner could have begun one of a stranger's.
    if (!database || databaseName === null || database.owner === 'stranger') return;
    scene.ledger.excused.add(databaseName);
    database.isInterrupted = true;
  },
  'a marker is lost': (scene, argument) => {
    const databaseName = databaseAt(scene, argument);
    const database = scene.world.server.databases.get(databaseName ?? '');
    if (!database || databaseName === null) return;
    scene.ledger.excused.add(databaseName);
    database.comment = null;
  },
  'somebody makes tables in a database': (scene, argument) => {
    const database = scene.world.server.databases.get(databaseAt(scene, argument) ?? '');
    if (database) database.hasRelations = true;
  },
  'a stranger makes a database': ({ ledger, world }, argument) => {
    const { server } = world;
    const isThere = ({ id, databaseName }: StoredRow): boolean =>
      server.databases.has(databaseName) ||
      [...server.databases.keys()].some((one) => world.marker(one)?.projectId === id);
    // In the place of one that was dropped: while the project's own goes by another name, it keeps that.
    const missing = [...server.rows.values()].find((row) => !isThere(row))?.databaseName;
    const databaseName = missing ?? chosenDatabase(argument);
    if (server.databases.has(databaseName)) return;
    ledger.excused.add(databaseName);
    world.plantDatabase(databaseName, { owner: server.addRole('stranger'), hasRelations: argument % 2 === 0 });
  },
  'a row is lost': (scene, argument) => {
    const { server } = scene.world;
    const [key, row] = [...server.rows][argument % Math.max(1, server.rows.size)] ?? [];
    if (key === undefined || !row) return;
    scene.ledger.excused.add(row.id).add(row.databaseName);
    server.rows.delete(key);
  },
  'a repository gets an origin': (scene, argument) => {
    const folder = folderAt(scene, argument);
    const origin = `example.com/acme/${nameAt(Math.floor(argument / scene.folders.length))}`;
    if (folder !== scene.stranger) scene.world.machine.setOrigins(folder, [origin]);
  },
  'a stranger plants the id of a project': (scene, argument) => {
    const rows = [...scene.world.server.rows.values()];
    const { config } = scene.world.machine.at(scene.stranger);
    if (!config) return;
    const row = rows[argument % Math.max(1, rows.length)];
    config.id = row?.id ?? null;
    config.name = row?.name ?? names[0];
  },
} as const satisfies Record<string, Disturbance>;

export type DisturbanceName = keyof typeof disturbances;

export const disturbanceNames = Object.keys(disturbances) as DisturbanceName[];

/** Whoever edits a config while somebody resolves its folder may have meant either project. */
export function editsConfig(name: DisturbanceName): boolean {
  return name.startsWith('a config') || name.startsWith('a stranger');
}

export function disturbanceAt(argument: number): DisturbanceName {
  return disturbanceNames[argument % disturbanceNames.length] ?? 'the clock jumps';
}

export function disturb(name: DisturbanceName, scene: Scene, argument: number): void {
  disturbances[name](scene, argument);
}
