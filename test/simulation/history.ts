import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import type { Fault } from '../support/world/passage.ts';
import type { WorldDaemon } from '../support/world/daemon.ts';
import { World } from '../support/world.ts';
import { commandAt, commandKinds, commandOf } from './commands.ts';
import type { Counts } from './counts.ts';
import { disturb, disturbanceAt, disturbanceNames, editsConfig } from './disturbances.ts';
import { Gate, quiet, type Waiting } from './gate.ts';
import { checkAnswer, checkEvidence, checkOwnWord, checkStep, Ledger } from './invariants.ts';
import { folderAt, names, type Scene } from './scene.ts';

const daemonCount = 3;
const stepLimit = 20_000;

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
  readonly #scene: Scene;
  #failure: unknown = null;
  /** How often somebody has edited a config. */
  #edits = 0;
  /** What happened, for people. */
  readonly lines: string[] = [];

  constructor(counts: Counts) {
    this.#counts = counts;
    const [world, machine] = [this.#world, this.#world.machine];
    for (let index = 0; index < daemonCount; index += 1) {
      const state = { ...world.stateFolder(), hostId: `host ${String(index)}` };
      this.#daemons.push(
        world.daemon({ name: `daemon ${String(index)}`, state, projectSchema: 'create table made ()' }),
      );
    }
    for (const name of names) this.#folders.push(world.workspace(name));
    const stranger = machine.folder('/work/stranger', { origins: ['example.com/stranger/shop'] });
    this.#folders.push(machine.config(stranger, { name: names[0] }));
    this.#scene = { world, ledger: this.#ledger, daemons: this.#daemons, folders: this.#folders, stranger };
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
    const atServer = kind >= 72 && kind < 80 ? this.#gate.atServer(pick) : undefined;
    if (atServer) return this.#letGo(atServer, kind < 76 ? 'away' : 'lost');
    if (kind < 80 && waiting.length > 0) return this.#letGo(waiting[pick % waiting.length], null);
    if (kind < 83 && waiting.length > 0) return this.#kill(this.#gate.anybody(pick));
    if (kind < 96) this.#begin(pick);
    else this.#disturb(pick);
    await quiet();
  }

  async #letGo(one: Waiting | undefined, fault: Fault): Promise<void> {
    if (!one) return;
    if (fault !== null) this.#counts.add(`fault ${fault} at ${one.what}`);
    this.lines.push(`${one.who} passes ${one.what}${fault === null ? '' : `, ${fault}`}`);
    await this.#gate.letGo(one, fault);
  }

  /** Whoever waits there dies, with all that its daemon was doing, and the next daemon starts on what is on disk. */
  async #kill(one: Waiting | undefined): Promise<void> {
    const dead = this.#daemons.findIndex(({ options }) => options.name === one?.who);
    const daemon = this.#daemons[dead];
    if (!one || !daemon) return;
    this.#counts.add(`killed at ${one.what}`);
    this.lines.push(`${one.who} dies at ${one.what}`);
    this.#gate.leave(one.who);
    this.#daemons[dead] = this.#world.restart(daemon);
    await quiet();
  }

  #begin(pick: number): void {
    const daemon = this.#daemons[pick % daemonCount];
    const rest = Math.floor(pick / daemonCount);
    const [name, argument] = [commandAt(rest), Math.floor(rest / commandKinds)];
    if (!daemon) return;
    if (name === 'resolves') this.#resolve(daemon, folderAt(this.#scene, argument));
    else if (name === 'hands over') this.#handOver(daemon, folderAt(this.#scene, argument));
    else {
      const command = commandOf(name, this.#scene, daemon, argument);
      if (command) this.#call(daemon, name, command.about, command.work);
    }
  }

  #resolve(daemon: WorldDaemon, folder: string): void {
    const check = this.#watchAnswer(daemon, folder);
    this.#call(daemon, 'resolves', folder, async () => {
      const answer = await daemon.resolve({ directory: folder });
      if (answer.project) check(answer.project);
      return answer;
    });
  }

  #handOver(daemon: WorldDaemon, folder: string): void {
    const check = this.#watchAnswer(daemon, folder);
    this.#call(daemon, 'hands over', folder, async () => {
      const proved = { id: '' };
      const { resolution, given } = await daemon.handOver({ directory: folder }, (project) => {
        checkOwnWord(this.#world, project);
        proved.id = project.id;
      });
      if (given) {
        check(given);
        if (given.id !== proved.id || resolution.project?.id !== proved.id)
          throw new Error(`${folder} was handed ${given.name}, which was not proved`);
      }
      return resolution;
    });
  }

  /** What an answer is measured by: the config as it is when it is asked, unless somebody changes it meanwhile. */
  #watchAnswer(daemon: WorldDaemon, folder: string): (project: Project) => void {
    const { bindings } = daemon.options.state;
    const isBound = (): boolean =>
      [...bindings.values()].some(({ claim }) => claim.path === folder) || this.#ledger.isBeingBound(folder);
    const [before, edits, wasBound] = [this.#world.machine.at(folder).config?.id ?? null, this.#edits, isBound()];
    return (project) => {
      const isSame = edits === this.#edits && !wasBound && !isBound();
      checkAnswer(folder, isSame ? before : null, project);
      if (!this.#ledger.isVouchedFor(project)) checkEvidence(folder, project, this.#claimed);
      this.#ledger.checkOwner(folder, project, this.#scene.stranger);
    };
  }

  #call(daemon: WorldDaemon, name: string, about: string, work: () => Promise<unknown>): void {
    this.lines.push(`${daemon.options.name} ${name} ${about}`);
    this.#counts.add(`command ${name}`);
    work()
      .then((answer) => {
        this.#answered(daemon, answer);
      })
      .catch((error: unknown) => {
        if (!(error instanceof RegistrarError)) this.#failure ??= error;
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

  #disturb(pick: number): void {
    const name = disturbanceAt(pick);
    this.#counts.add(`world ${name}`);
    this.lines.push(name);
    if (editsConfig(name)) this.#edits += 1;
    disturb(name, this.#scene, Math.floor(pick / disturbanceNames.length));
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
      this.#call(daemon, 'syncs', '', () => daemon.syncNow());
      await this.#drain();
    }
  }

  async #drain(): Promise<void> {
    await quiet();
    for (let step = 0; this.#gate.waiting.length > 0; step += 1) {
      if (step === stepLimit) throw new Error('it does not end');
      await this.#letGo(this.#gate.waiting[0], null);
      this.#check();
    }
  }

  /** 2: a row or database that is not sound is one that drift names. */
  #checkNamed(findings: string): void {
    const { rows, databases } = this.#world.server;
    const entries = this.#daemons.flatMap(({ options }) => [...options.state.outbox.values()]);
    for (const [databaseName, { owner }] of databases) {
      if (owner === 'stranger') continue;
      const marker = this.#world.marker(databaseName);
      const row = [...rows.values()].find((one) => one.databaseName === databaseName);
      const isKnown = row?.id === marker?.projectId || marker?.forgottenAt != null;
      const isWaiting = entries.some((entry) => entry.row.databaseName === databaseName);
      if (!isKnown && !isWaiting && !findings.includes(databaseName))
        throw new Error(`database ${databaseName} is nobody's, and drift does not name it`);
    }
  }
}
