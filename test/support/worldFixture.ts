import assert from 'node:assert/strict';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { World } from './world.ts';
import type { DaemonOptions, WorldDaemon } from './world/daemon.ts';
import type { ConfigText } from './world/machine.ts';

const changing = new Set(['reserve', 'change', 'insert', 'remove', 'delete', 'deliver', 'comment', 'create', 'drop']);

/** `config matched`, `explicit skipped` …: the path that a resolution took. */
export function path(resolution: Resolution): string[] {
  return resolution.trace.map(({ name, outcome }) => `${name} ${outcome}`);
}

/** The world with the verbs of tests: folders that are numbered, and what daemons have changed. */
export class WorldFixture {
  readonly world = new World();
  readonly #daemons: WorldDaemon[] = [];
  #folders = 0;

  engine(options: Partial<DaemonOptions> = {}): WorldDaemon {
    const daemon = this.world.daemon(options);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** A fresh folder that is its own repository. */
  folder(name?: string): string {
    this.#folders += 1;
    return this.world.machine.folder(`/work/${name ?? `workspace-${String(this.#folders)}`}`);
  }

  /** Writes a config file in the place of the one that is there. */
  named(folder: string, name: string, id: string | null = null, more: Partial<ConfigText> = {}): void {
    this.world.machine.config(folder, { name, id, ...more });
  }

  /** A folder whose config claims a project by name. */
  workspace(name: string, more: Partial<ConfigText> = {}): string {
    const folder = this.folder();
    this.named(folder, name, null, more);
    return folder;
  }

  /** A linked worktree of a repository, beside it. */
  worktree(main: string): string {
    return this.world.machine.folder(`${main}-feature`, { worktreeOf: main });
  }

  config(folder: string): ConfigText {
    const { config } = this.world.machine.at(folder);
    assert.ok(config);
    return config;
  }

  /** Makes the folder a clone of a repository. */
  origin(folder: string, origin: string): void {
    this.world.machine.replaceRepository(folder, [origin]);
  }

  /** What all daemons have changed on the server since the last call. */
  changes(): string[] {
    return this.#daemons.flatMap(({ client }) => client.sent.splice(0)).filter((what) => changing.has(what));
  }

  /** Row, database and marker, and the config file where a folder is given, all name the same project. */
  assertAgreement(
    { id, name, databaseName }: Pick<Project, 'id' | 'name' | 'databaseName'>,
    folder: string | null,
  ): void {
    const rows = [...this.world.server.rows.values()].filter((row) => row.id === id || row.name === name);
    assert.deepEqual(
      rows.map((row) => [row.id, row.name, row.databaseName]),
      [[id, name, databaseName]],
    );
    const marker = this.world.marker(databaseName);
    assert.deepEqual(
      [marker?.registry, marker?.projectId, marker?.name, marker?.forgottenAt],
      [this.world.server.registry, id, name, null],
    );
    if (folder !== null) assert.deepEqual([this.config(folder).id, this.config(folder).name], [id, name]);
  }
}
