import { createHash } from 'node:crypto';
import { readMarker } from '../../daemon/registry/marker.ts';
import type { Marker } from '../../daemon/registry/model.ts';
import { Clock } from './world/clock.ts';
import { WorldDaemon, type DaemonOptions, type StateFolder } from './world/daemon.ts';
import { Machine } from './world/machine.ts';
import { OpenPassage, type Passage } from './world/passage.ts';
import { newDatabase, WorldServer, type StoredDatabase, type StoredRow } from './world/server.ts';

/**
 * Everything that the rules look at, in memory: a PostgreSQL with its registry and databases, machines with folders and
 * config files, a clock, and daemons with state folders. Nothing happens in it by itself: every statement and every look at
 * a file is a point that somebody lets the daemon pass, so that one order of points is one history. `test/contract` shows
 * that PostgreSQL does the same.
 */
export class World {
  readonly clock = new Clock();
  readonly server = new WorldServer(this.clock);
  /** Faults that tests plan; unused where another passage was given. */
  readonly passage = new OpenPassage();
  /** The machine of daemons that are given none. */
  readonly machine = new Machine('here');
  readonly #pass: Passage;
  #daemons = 0;
  #ids = 0;

  constructor(passage?: Passage) {
    this.#pass = passage ?? this.passage.pass;
  }

  /** One more daemon, with a state folder of its own unless it is given one. */
  daemon(options: Partial<DaemonOptions> = {}): WorldDaemon {
    this.#daemons += 1;
    const complete: DaemonOptions = {
      name: `daemon ${String(this.#daemons)}`,
      machine: this.machine,
      state: this.stateFolder(),
      role: 'registrar',
      ownerRole: null,
      projectSchema: null,
      workflow: null,
      defaultDatabase: null,
      newId: () => this.newId(),
      ...options,
    };
    return new WorldDaemon(complete, this.server, this.#pass);
  }

  /** The daemon that starts after this one was killed. */
  restart(daemon: WorldDaemon): WorldDaemon {
    daemon.kill();
    return new WorldDaemon(daemon.options, this.server, this.#pass);
  }

  stateFolder(): StateFolder {
    const hostId = `host ${String(this.#daemons)}`;
    return { hostId, outbox: new Map(), known: new Map(), claims: new Map(), bindings: new Map() };
  }

  /** A UUID: another one at each call, and the same ones in each world. */
  newId(): string {
    this.#ids += 1;
    const digits = createHash('sha256')
      .update(`id ${String(this.#ids)}`)
      .digest('hex');
    return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
  }

  /** A folder with a config file that claims a project by its name. */
  workspace(name: string, path = `/work/${name.replaceAll(' ', '-')}`): string {
    return this.machine.config(this.machine.folder(path), { name });
  }

  /** The committed row with this id or name. */
  row(key: string): StoredRow | undefined {
    return [...this.server.rows.values()].find(({ id, name }) => id === key || name === key);
  }

  /** A row that nobody of ours wrote, as codebase-mcp does. */
  plantRow(row: Pick<StoredRow, 'name' | 'databaseName'> & Partial<StoredRow>): StoredRow {
    const now = this.clock.now();
    const whole = { id: this.newId(), description: null, createdAt: now, updatedAt: now, metadata: {}, ...row };
    this.server.rows.set(-1 - this.server.rows.size, whole);
    return whole;
  }

  plantDatabase(name: string, database: Partial<StoredDatabase> = {}): StoredDatabase {
    const whole = { ...newDatabase('registrar'), ...database };
    this.server.databases.set(name, whole);
    return whole;
  }

  renameDatabase(from: string, to: string): void {
    const database = this.server.databases.get(from);
    if (!database) throw new Error(`there is no database ${from}`);
    this.server.databases.delete(from);
    this.server.databases.set(to, database);
  }

  marker(databaseName: string): Marker | null {
    const reading = readMarker(this.server.databases.get(databaseName)?.comment ?? null);
    return reading.kind === 'marker' ? reading.marker : null;
  }
}
