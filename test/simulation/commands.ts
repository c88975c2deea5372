import type { Resolution } from '../../daemon/protocol/model.ts';
import type { WorldDaemon } from '../support/world/daemon.ts';
import { databaseAt, folderAt, nameAt, rowNamed, type Scene } from './scene.ts';

/** What a daemon is asked for; null where there is nothing to ask it about. */
export interface Command {
  about: string;
  work: () => Promise<unknown>;
}

type Asking = (scene: Scene, daemon: WorldDaemon, argument: number) => Command | null;

/** What people ask for besides the projects of their folders. */
const commands = {
  creates: (_scene, daemon, argument) => {
    const name = nameAt(argument);
    return { about: name, work: () => daemon.createProject({ name }) };
  },
  forgets: (scene, daemon, argument) => {
    const row = rowNamed(scene, daemon, nameAt(argument));
    if (!row) return null;
    scene.ledger.excused.add(row.id).add(row.databaseName);
    return { about: nameAt(argument), work: () => daemon.forgetProject({ project: row.id }) };
  },
  drops: (scene, daemon, argument) => {
    const row = rowNamed(scene, daemon, nameAt(argument));
    if (!row) return null;
    scene.ledger.excused.add(row.id).add(row.databaseName);
    const work = (): Promise<unknown> => daemon.dropProject({ project: row.id, confirm: row.databaseName });
    return { about: nameAt(argument), work };
  },
  syncs: (_scene, daemon) => ({ about: '', work: () => daemon.syncNow() }),
  adopts: (scene, daemon, argument) => {
    const database = databaseAt(scene, argument);
    if (database === null) return null;
    scene.ledger.adopted.add(database);
    return { about: database, work: () => daemon.adoptDatabase({ database }) };
  },
  remakes: (scene, daemon, argument) => {
    const name = nameAt(argument);
    const confirm = rowNamed(scene, daemon, name)?.databaseName ?? null;
    return { about: name, work: () => daemon.remakeProject({ project: name, confirm }) };
  },
  renames: (scene, daemon, argument) => {
    const row = rowNamed(scene, daemon, nameAt(argument));
    const name = argument % 2 === 0 ? 'notes' : nameAt(Math.floor(argument / 3));
    return row
      ? { about: `${nameAt(argument)} to ${name}`, work: () => daemon.updateProject({ project: row.id, name }) }
      : null;
  },
  names: (_scene, daemon, argument) => {
    const project = nameAt(argument);
    return { about: project, work: () => daemon.resolve({ project }) };
  },
  shows: (scene, daemon, argument) => {
    const row = rowNamed(scene, daemon, nameAt(argument));
    const project = argument % 2 === 0 ? row?.id.slice(0, 8) : row?.id;
    return project === undefined ? null : { about: project, work: () => daemon.showProject({ project }) };
  },
  uses: (scene, daemon, argument) => {
    const name = nameAt(argument);
    const directory = folderAt(scene, Math.floor(argument / 3));
    const row = rowNamed(scene, daemon, name);
    if (!row) return null;
    scene.ledger.vouch(row.id);
    const local = argument % 2 === 0;
    const confirm = `example.com/acme/${name}`;
    const work = (): Promise<Resolution> => daemon.useProject({ project: row.id, directory, local, confirm });
    return { about: `${name} in ${directory}`, work: () => scene.ledger.whileBinding(directory, work) };
  },
  unbinds: (scene, daemon, argument) => {
    const directory = folderAt(scene, argument);
    const work = (): Promise<Resolution> => daemon.removeBinding({ directory });
    return { about: directory, work: () => scene.ledger.whileBinding(directory, work) };
  },
  repairs: (_scene, daemon) => ({
    about: '',
    work: async () => daemon.repair({ planId: (await daemon.drift()).planId }),
  }),
} as const satisfies Record<string, Asking>;

type Name = keyof typeof commands;

export const commandNames = ['resolves', 'hands over', ...(Object.keys(commands) as Name[])] as const;
export type CommandName = (typeof commandNames)[number];

/** Mostly people just work. */
const resolving = 12;
const handingOver = 4;

export function commandAt(argument: number): CommandName {
  const others = Object.keys(commands) as Name[];
  const at = argument % (resolving + handingOver + others.length);
  if (at < resolving) return 'resolves';
  return others[at - resolving - handingOver] ?? 'hands over';
}

export const commandKinds = resolving + handingOver + Object.keys(commands).length;

export function commandOf(
  name: Exclude<CommandName, 'resolves' | 'hands over'>,
  scene: Scene,
  daemon: WorldDaemon,
  argument: number,
): Command | null {
  return commands[name](scene, daemon, argument);
}
