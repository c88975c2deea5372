import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import type { RegistryFixture } from './registryFixture.ts';
import { resolved } from './resolutionAssertions.ts';

/** A person's machine: its name, its state folder, its home with the configuration of git and ssh. */
export class Machine {
  readonly #fixture: RegistryFixture;
  readonly home: string;
  readonly #stateFolder: string;
  readonly #host: string;
  #engine: Engine | null = null;

  private constructor(fixture: RegistryFixture, host: string, stateFolder: string) {
    this.#fixture = fixture;
    this.#host = host;
    this.#stateFolder = stateFolder;
    this.home = join(stateFolder, 'home');
  }

  static async open(fixture: RegistryFixture, host: string): Promise<Machine> {
    const machine = new Machine(fixture, host, await fixture.stateFolder());
    await mkdir(machine.home);
    return machine;
  }

  /** The same state folder under another name of the machine, as after a network change or in a container that was rebuilt. */
  renamed(host: string): Machine {
    return new Machine(this.#fixture, host, this.#stateFolder);
  }

  async engine(): Promise<Engine> {
    this.#engine ??= await this.#fixture.engine({
      host: this.#host,
      stateFolder: this.#stateFolder,
      home: this.home,
    });
    return this.#engine;
  }

  async restart(): Promise<void> {
    await this.#engine?.close();
    this.#engine = null;
  }
}

/** What somebody had to do until their folder had its project, and what they were told on the way. */
export interface Walked {
  /** Commands beside `registrar resolve`. */
  commands: number;
  warnings: string[];
}

/** Nobody should need more than one. */
const mostCommands = 3;

/**
 * Resolves a folder as its person would: where it is refused, they type what the refusal says. Afterwards nobody asks
 * again, also not another daemon.
 *
 * @param project the one that the folder has to get
 */
export async function walk(
  machine: Machine,
  directory: string,
  project: Pick<Project, 'id' | 'name'>,
): Promise<Walked> {
  const engine = await machine.engine();
  let answer = await engine.resolve({ directory });
  const warnings = answer.warnings.map(({ code }) => code);
  let commands = 0;
  while (answer.outcome !== 'resolved' && commands < mostCommands) {
    const { error } = answer;
    assert.equal(error?.code, 'PROJECT_CONFLICT', JSON.stringify(error ?? answer.trace));
    commands += 1;
    const origin = error.details?.['origin'];
    const confirm = typeof origin === 'string' ? { confirm: origin } : {};
    await engine.useProject({ project: project.name, directory, ...confirm });
    answer = await engine.resolve({ directory });
  }
  assert.equal(resolved(answer).id, project.id);
  for (const again of [false, true]) {
    if (again) await machine.restart();
    const next = await (await machine.engine()).resolve({ directory });
    assert.equal(resolved(next).id, project.id);
    assert.deepEqual(next.warnings, []);
  }
  return { commands, warnings };
}
