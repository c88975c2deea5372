import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { ServerError } from '../support/world/serverError.ts';
import type { WorldDaemon } from '../support/world/daemon.ts';
import { World } from '../support/world.ts';
import type { Counts } from './counts.ts';
import { Gate, quiet } from './gate.ts';
import { checkAnswer, checkStep, Ledger } from './invariants.ts';

const daemonCount = 3;
const names = ['shop', 'blog', 'wiki'] as const;
const stepLimit = 20_000;

/** Points that are statements to the server: only there a connection can break. */
const files = /^(?:config|id|git|identify|folder|presence|only|claim|binding|outbox|pause)/;

/**
 * One history: daemons, callers, trouble and time, in the order that a tape of numbers says. The same tape is the same
 * history; a zero lets the first who waits go on, so that a shorter tape of smaller numbers is a calmer history.
 */
export class History {
  readonly #gate = new Gate();
  readonly #world = new World(this.#gate.pass);
  readonly #daemons: WorldDaemon[] = [];
  readonly #folders: string[] = [];
  readonly #ledger = new Ledger();
  readonly #claimed = new Set<string>();
  readonly #counts: Counts;
  #running = 0;
  #failure: unknown = null;
  /** How often somebody has edited a config. */
  #edits = 0;
  /** What happened, for people. */
  readonly lines: string[] = [];

  constructor(counts: Counts) {
    this.#counts = counts;
    for (let index = 0; index < daemonCount; index += 1) {
      // Two daemons of one person's machine take turns with one state folder; the third has another.
      const state = { ...this.#world.stateFolder(), hostId: `host ${String(index)}` };
      this.#daemons.push(this.#world.daemon({ name: `daemon ${String(index)}`, state }));
    }
    for (const name of names) this.#folders.push(this.#world.workspace(name));
  }

  async run(tape: readonly number[]): Promise<void> {
    for (const number of tape) {
      await this.#step(number);
      this.#check();
    }
    await this.#quiesce();
  }

  async #step(number: number): Promise<void> {
    const pick = Math.floor(number / 100);
    const kind = number % 100;
    const { waiting } = this.#gate;
    if (kind < 72 && waiting.length > 0) return this.#letGo(pick % waiting.length, null);
    if (kind < 76 && waiting.length > 0) return this.#letGo(pick % waiting.length, 'away');
    if (kind < 80 && waiting.length > 0) return this.#letGo(pick % waiting.length, 'lost');
    if (kind < 83 && waiting.length > 0) return this.#kill(pick % waiting.length);
    if (kind < 96) this.#begin(pick);
    else this.#disturb(pick);
    await quiet();
  }

  async #letGo(index: number, fault: 'away' | 'lost' | null): Promise<void> {
    const { who = '', what = '' } = this.#gate.waiting[index] ?? {};
    const isFile = files.test(what);
    if (fault !== null && isFile) return;
    if (fault !== null) this.#counts.add(`fault ${fault} at ${what}`);
    this.lines.push(`${who} passes ${what}${fault === null ? '' : `, ${fault}`}`);
    await this.#gate.letGo(index, fault);
  }

  /** Whoever waits there dies, with all that its daemon was doing, and the next daemon starts on what is on disk. */
  async #kill(index: number): Promise<void> {
    const { who = '', what = '' } = this.#gate.waiting[index] ?? {};
    const dead = this.#daemons.findIndex(({ options }) => options.name === who);
    const daemon = this.#daemons[dead];
    if (!daemon) return;
    this.#counts.add(`killed at ${what}`);
    this.lines.push(`${who} dies at ${what}`);
    this.#gate.leave(who);
    this.#daemons[dead] = this.#world.restart(daemon);
    await quiet();
  }

  #begin(pick: number): void {
    const daemon = this.#daemons[pick % daemonCount];
    const rest = Math.floor(pick / daemonCount);
    if (daemon) this.#command(daemon, rest % 12, Math.floor(rest / 12));
  }

  #command(daemon: WorldDaemon, kind: number, argument: number): void {
    const name = names[argument % names.length] ?? 'shop';
    const folder = this.#folders[argument % this.#folders.length] ?? '';
    const databaseName = this.#database(argument);
    const row = this.#world.row(name) ?? daemon.outbox.rows().find((entry) => entry.name === name);
    switch (kind) {
      case 6: {
        this.#call(daemon, `creates ${name}`, () => daemon.createProject({ name }));
        return;
      }
      case 7:
        if (!row) return;
        this.#ledger.excused.add(row.id).add(row.databaseName);
        {
          this.#call(daemon, `forgets ${name}`, () => daemon.forgetProject({ project: row.id }));
          return;
        }
      case 8:
        if (!row) return;
        this.#ledger.excused.add(row.id).add(row.databaseName);
        {
          this.#call(daemon, `drops ${name}`, () => daemon.dropProject({ project: row.id, confirm: row.databaseName }));
          return;
        }
      case 9: {
        this.#call(daemon, `syncs`, () => daemon.syncNow());
        return;
      }
      case 10:
        if (databaseName === null) return;
        this.#call(daemon, `adopts ${databaseName}`, () => daemon.adoptDatabase({ database: databaseName }));
        return;
      case 11: {
        this.#call(daemon, `remakes ${name}`, () =>
          daemon.remakeProject({ project: name, confirm: row?.databaseName ?? null }),
        );
        return;
      }
      default: {
        this.#resolve(daemon, folder);
        return;
      }
    }
  }

  #resolve(daemon: WorldDaemon, folder: string): void {
    const [before, edits] = [this.#world.machine.at(folder).config?.id ?? null, this.#edits];
    this.#call(daemon, `resolves ${folder}`, async () => {
      const answer = await daemon.resolve({ directory: folder });
      // Whoever edits the config meanwhile may have meant either.
      if (answer.project) checkAnswer(folder, edits === this.#edits ? before : null, answer.project, this.#claimed);
      return answer;
    });
  }

  #call(daemon: WorldDaemon, what: string, work: () => Promise<unknown>): void {
    this.lines.push(`${daemon.options.name} ${what}`);
    this.#running += 1;
    this.#counts.add(`command ${what.split(' ')[0] ?? ''}`);
    work()
      .then((answer) => {
        this.#answered(daemon, answer);
      })
      .catch((error: unknown) => {
        if (!(error instanceof RegistrarError)) this.#failure ??= error;
      })
      .finally(() => {
        this.#running -= 1;
      });
  }

  #answered(daemon: WorldDaemon, answer: unknown): void {
    if (typeof answer !== 'object' || answer === null || !('outcome' in answer)) return;
    const { outcome, project, stale, error, warnings } = answer as Resolution;
    this.#counts.add(`answer ${error?.code ?? outcome}`);
    for (const { code } of warnings) this.#counts.add(`answer ${code}`);
    this.lines.push(`${daemon.options.name} is told ${error?.message ?? `${outcome}: ${project?.name ?? ''}`}`);
    if (error?.code === 'INTERNAL') this.#failure ??= new Error(error.message);
    if (project && !stale) this.#ledger.acknowledge(project);
  }

  /** What others do: people, other programs, the server, the clock. */
  #disturb(pick: number): void {
    const { server, clock, machine } = this.#world;
    const argument = Math.floor(pick / 16);
    const databaseName = this.#database(argument);
    const folder = this.#folders[argument % this.#folders.length] ?? '';
    const { config, repository } = machine.at(folder);
    const name = names[Math.floor(argument / this.#folders.length) % names.length] ?? 'shop';
    const disturbances: [string, () => void][] = [
      [
        'the clock jumps',
        () => {
          clock.move(argument % 2 === 0 ? 120_000 : -30_000);
        },
      ],
      [
        'the server is restarted',
        () => {
          server.stop();
          server.start();
        },
      ],
      [
        'the registry refuses rows',
        () => {
          server.refusesRows = new ServerError('53100', 'No space left on device');
        },
      ],
      [
        'the registry takes rows',
        () => {
          server.refusesRows = null;
        },
      ],
      [
        'a config gets another name',
        () => {
          if (config) config.name = name;
        },
      ],
      [
        'a config loses its id',
        () => {
          if (config) config.id = null;
        },
      ],
      [
        'a config gets a new id',
        () => {
          if (config) config.id = this.#world.newId();
        },
      ],
      [
        'a database is dropped behind our back',
        () => {
          if (databaseName === null) return;
          this.#ledger.excused.add(databaseName);
          server.databases.delete(databaseName);
        },
      ],
      [
        'a database is renamed behind our back',
        () => {
          const to = `cb_proj_moved_${this.#world.newId().slice(0, 8)}`;
          if (databaseName === null) return;
          this.#ledger.excused.add(databaseName).add(to);
          this.#world.renameDatabase(databaseName, to);
        },
      ],
      [
        'a DROP is cut short',
        () => {
          const database = databaseName === null ? undefined : server.databases.get(databaseName);
          if (!database || databaseName === null) return;
          this.#ledger.excused.add(databaseName);
          database.isInterrupted = true;
        },
      ],
      [
        'a marker is lost',
        () => {
          const database = databaseName === null ? undefined : server.databases.get(databaseName);
          if (!database || databaseName === null) return;
          this.#ledger.excused.add(databaseName);
          database.comment = null;
        },
      ],
      [
        'a row is lost',
        () => {
          const [key, row] = [...server.rows][argument % Math.max(1, server.rows.size)] ?? [];
          if (key === undefined || !row) return;
          this.#ledger.excused.add(row.id).add(row.databaseName);
          server.rows.delete(key);
        },
      ],
      [
        'a repository gets an origin',
        () => {
          if (repository) machine.setOrigins(folder, [`example.com/acme/${name}`]);
        },
      ],
      [
        'a config gets the id of another folder',
        () => {
          if (config)
            config.id = machine.at(this.#folders[(argument + 1) % this.#folders.length] ?? '').config?.id ?? null;
        },
      ],
    ];
    const [what, happens] = disturbances[pick % disturbances.length] ?? disturbances[0] ?? ['', () => undefined];
    this.#counts.add(`world ${what}`);
    this.lines.push(what);
    if (what.startsWith('a config')) this.#edits += 1;
    happens();
  }

  #database(number: number): string | null {
    const there = [...this.#world.server.databases.keys()];
    return there[number % Math.max(1, there.length)] ?? null;
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure as Error;
    checkStep(
      this.#world,
      this.#daemons.map(({ options }) => options.state),
      this.#ledger,
    );
  }

  /** All works again: everybody ends what they do, delivers and resolves, and then all agree. */
  async #quiesce(): Promise<void> {
    this.#world.server.start();
    this.#world.server.refusesRows = null;
    this.lines.push('all is quiet');
    await this.#drain();
    await this.#syncAll();
    for (const folder of this.#folders) {
      for (const daemon of this.#daemons) {
        this.#resolve(daemon, folder);
        await this.#drain();
      }
    }
    // Who resolves a parked project may have given it another name, which wakes the loop.
    await this.#syncAll();
    // What was begun a moment ago is no drift yet.
    this.#world.clock.move(120_000);
    const report = this.#daemons[0]?.drift();
    await this.#drain();
    this.#checkNamed(JSON.stringify((await report)?.findings));
    for (const { options } of this.#daemons)
      for (const { state, row } of options.state.outbox.values())
        if (state === 'pending') throw new Error(`${row.name} is still pending, though all is quiet`);
  }

  async #syncAll(): Promise<void> {
    for (const daemon of this.#daemons) {
      this.#call(daemon, 'syncs', () => daemon.syncNow());
      await this.#drain();
    }
  }

  async #drain(): Promise<void> {
    await quiet();
    for (let step = 0; this.#gate.waiting.length > 0; step += 1) {
      if (step === stepLimit) throw new Error('it does not end');
      await this.#letGo(0, null);
      this.#check();
    }
  }

  /** 2: a row or database that is not sound is one that drift names. */
  #checkNamed(findings: string): void {
    const { rows, databases } = this.#world.server;
    const entries = this.#daemons.flatMap(({ options }) => [...options.state.outbox.values()]);
    for (const databaseName of databases.keys()) {
      const marker = this.#world.marker(databaseName);
      const row = [...rows.values()].find((one) => one.databaseName === databaseName);
      const isKnown = row?.id === marker?.projectId || marker?.forgottenAt != null;
      const isWaiting = entries.some((entry) => entry.row.databaseName === databaseName);
      if (!isKnown && !isWaiting && !findings.includes(databaseName))
        throw new Error(`database ${databaseName} is nobody's, and drift does not name it`);
    }
  }
}
