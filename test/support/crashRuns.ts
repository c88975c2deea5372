import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import type { Settings } from '../../daemon/protocol/settings.ts';
import { ProcessEnded, engineProcesses, type EngineProcess, type EngineProcesses } from './engineProcess.ts';
import { startKillPoint, type KillPoint } from './killPoint.ts';
import { noSettings, type RegistryFixture } from './registryFixture.ts';
import { testServer } from './testServer.ts';

/** One project, folder and state folder that an engine in a process of its own is killed over. */
export interface CrashRun {
  /** Names of projects and databases of this run begin with it; nobody else's do. */
  prefix: string;
  folder: string;
  stateFolder: string;
  /** What the child answered, null when it was killed before; set before the run is completed. */
  answer: unknown;
  settings: Partial<Settings>;
  /** A fresh engine in this process on the run's state folder, at the same address as the child. */
  withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T>;
}

export interface CrashScenario<Prepared> {
  /** Brings about what the child finds. */
  prepare(run: CrashRun): Promise<Prepared>;
  settings?: (run: CrashRun) => Promise<Partial<Settings>>;
  /** What the child does when it is killed. */
  act(child: EngineProcess, run: CrashRun, prepared: Prepared): Promise<unknown>;
  /** What somebody does afterwards, and what must be true then. */
  complete(run: CrashRun, prepared: Prepared): Promise<void>;
}

/** A step of the child, by what it touches. */
type Point = { kind: 'none' } | { kind: 'statement' | 'file'; at: number; when: 'before' | 'after' };

interface Steps {
  statements: string[];
  fileCalls: string[];
}

export interface CrashCount {
  statements: number;
  fileCalls: number;
  /** Points that the child did not come to, since its background work took another order. */
  missed: number;
}

/**
 * What is there after one step is what is there before the next, so a kill after each step is one between any two. Told
 * so, it also kills before each: the same states, met by another way.
 */
export const isExhaustive = (process.env.REGISTRAR_TEST_EXHAUSTIVE ?? '') !== '';

/** How many runs go on at once: a killed child's successor starts while another run is looked at. */
const lanes = 3;

/** Kills an engine in a process of its own at every statement and every change of a file, and completes what it left. */
export class CrashRuns {
  readonly #fixture: RegistryFixture;
  readonly #processes: EngineProcesses;
  readonly #killPoints: KillPoint[];
  readonly #tag = `k${randomBytes(3).toString('hex')}`;
  #runs = 0;

  private constructor(fixture: RegistryFixture, processes: EngineProcesses, killPoints: KillPoint[]) {
    this.#fixture = fixture;
    this.#processes = processes;
    this.#killPoints = killPoints;
  }

  static async open(fixture: RegistryFixture): Promise<CrashRuns> {
    const server = new URL((await testServer()).url);
    const target = {
      host: server.hostname === '' ? 'localhost' : server.hostname,
      port: Number(server.port || '5432'),
    };
    const killPoints = await Promise.all(Array.from({ length: lanes }, () => startKillPoint(target)));
    return new CrashRuns(fixture, await engineProcesses(), killPoints);
  }

  async close(): Promise<void> {
    await this.#processes.close();
    for (const killPoint of this.#killPoints) await killPoint.close();
  }

  /** Learns the steps from a run that is not killed, then kills one child at each of them. */
  async everyPoint<Prepared>(scenario: CrashScenario<Prepared>): Promise<CrashCount> {
    const [first] = this.#killPoints;
    if (!first) throw new Error('there is no lane');
    const learned = await this.#run(scenario, { kind: 'none' }, first, this.#processes.start());
    if (!learned) throw new Error('the run that nobody kills was killed');
    const sides = isExhaustive ? (['before', 'after'] as const) : (['after'] as const);
    const points: Point[] = sides.flatMap((when) => [
      ...learned.statements.map((_, index) => ({ kind: 'statement' as const, at: index + 1, when })),
      ...learned.fileCalls.map((_, index) => ({ kind: 'file' as const, at: index + 1, when })),
    ]);
    let missed = 0;
    const queue = points.values();
    const failures: Error[] = [];
    await Promise.all(
      this.#killPoints.map(async (killPoint) => {
        let child = this.#processes.start();
        for (const point of queue) {
          const next = this.#processes.start();
          try {
            if (await this.#run(scenario, point, killPoint, child)) missed += 1;
          } catch (error) {
            failures.push(new Error(`killed ${whereOf(point, learned)}: ${textOf(error)}`, { cause: error }));
          }
          child = next;
        }
        await child.kill();
      }),
    );
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
    return { statements: learned.statements.length, fileCalls: learned.fileCalls.length, missed };
  }

  /** One child's life and what follows it. Gives the child's steps when it was not killed, else null. */
  async #run<Prepared>(
    scenario: CrashScenario<Prepared>,
    point: Point,
    killPoint: KillPoint,
    child: EngineProcess,
  ): Promise<Steps | null> {
    const fixture = this.#fixture;
    this.#runs += 1;
    const prefix = `${this.#tag}x${String(this.#runs)}x`;
    killPoint.set(null);
    const url = new URL(fixture.url());
    url.port = String(killPoint.port);
    const stateFolder = await fixture.stateFolder();
    const run: CrashRun = {
      prefix,
      folder: await fixture.folder(),
      stateFolder,
      answer: null,
      settings: {},
      async withEngine(work) {
        const address = parseAddress(url.href, {}, localSurroundings());
        const engine = await fixture.engine({ address, stateFolder, settings: run.settings });
        try {
          return await work(engine);
        } finally {
          await engine.close();
        }
      },
    };
    try {
      run.settings = (await scenario.settings?.(run)) ?? {};
      const prepared = await scenario.prepare(run);
      killPoint.set(point.kind === 'statement' ? { ...point, kill: () => child.kill() } : null);
      const steps = await this.#live(child, killPoint, run, point, () => scenario.act(child, run, prepared));
      await child.kill();
      killPoint.set(null);
      await scenario.complete(run, prepared);
      return steps;
    } finally {
      await child.kill();
      await this.#dropEverything(prefix);
    }
  }

  async #live(
    child: EngineProcess,
    killPoint: KillPoint,
    run: CrashRun,
    point: Point,
    act: () => Promise<unknown>,
  ): Promise<Steps | null> {
    try {
      await child.open({
        url: urlWithPort(this.#fixture.url(), killPoint.port),
        stateFolder: run.stateFolder,
        home: join(dirname(run.stateFolder), 'home'),
        settings: { ...noSettings, ...run.settings },
        ...(point.kind === 'file' ? { fileKillPlan: point } : {}),
      });
      run.answer = await act();
      const fileCalls = await child.close();
      return { statements: [...killPoint.steps()], fileCalls };
    } catch (error) {
      if (error instanceof ProcessEnded) return null;
      throw error;
    }
  }

  async #dropEverything(prefix: string): Promise<void> {
    const fixture = this.#fixture;
    const pattern = `cb\\_proj\\_${prefix}%`;
    const made = await fixture.sql<{ name: string }>(
      'select datname as name from pg_database where datname like $1',
      [pattern],
      'postgres',
    );
    for (const { name } of made) await fixture.sql(`drop database "${name}" with (force)`, [], 'postgres');
    await fixture.sql('delete from projects where name like $1', [`${prefix}%`]);
  }
}

/** The project that the child said it has, or null when it was killed before it could say so. */
export function answeredProject(run: CrashRun): Resolution['project'] {
  return (run.answer as Resolution | null)?.project ?? null;
}

function urlWithPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

function whereOf(point: Point, { statements, fileCalls }: Steps): string {
  if (point.kind === 'none') return 'nowhere';
  const step = (point.kind === 'file' ? fileCalls : statements)[point.at - 1] ?? '';
  return `${point.when} ${point.kind} ${String(point.at)} (${step.trim().replace(/\s+/g, ' ').slice(0, 60)})`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
