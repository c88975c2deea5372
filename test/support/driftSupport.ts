import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import { driftNotes, type DriftFinding, type RepairResult } from '../../daemon/protocol/drift.ts';
import type { OnStep } from '../../daemon/protocol/operationModel.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import type { RegistryFixture } from './registryFixture.ts';

/** A project made from a config file in a folder of its own. */
export async function projectIn(
  fixture: RegistryFixture,
  engine: Engine,
  name: string,
): Promise<{ project: Project; folder: string; databaseName: string }> {
  const folder = await fixture.folder();
  await fixture.config(folder, { version: '1.0', project: { name } });
  const { project, error } = await engine.resolve({ directory: folder });
  assert.ok(project, JSON.stringify(error));
  return { project, folder, databaseName: project.databaseName };
}

/** What drift finds, without notes: other test runs on the same server leave unmarked databases. */
export async function findings(engine: Engine): Promise<DriftFinding[]> {
  return (await engine.drift()).findings.filter(({ kind }) => !driftNotes.includes(kind));
}

/** `marker-missing: restore-marker`, `orphan-database: adopt? leave?`: each finding with its repairs and choices. */
export function shape(found: DriftFinding[]): string[] {
  return found.map(
    ({ kind, actions }) =>
      `${kind}: ${actions.map(({ action, automatic }) => (automatic ? action : `${action}?`)).join(' ')}`,
  );
}

/** Repairs what drift finds now. @param onStep hears of each action when it begins */
export async function repairAll(engine: Engine, onStep?: OnStep): Promise<RepairResult> {
  const { planId } = await engine.drift();
  return engine.repair({ planId }, onStep);
}

/** Asserts that exactly these actions were applied and nothing else was tried, and that nothing is left. */
export async function assertRepaired(engine: Engine, actions: string[], left: string[] = []): Promise<void> {
  const steps: string[] = [];
  const result = await repairAll(engine, (step) => steps.push(step));
  assert.deepEqual(
    steps,
    result.applied.map(({ description }, index) => `${index + 1} of ${result.applied.length}: ${description}`),
  );
  assert.deepEqual(
    { applied: result.applied.map(({ action }) => action), skipped: result.skipped, failed: result.failed },
    { applied: actions, skipped: [], failed: [] },
  );
  assert.deepEqual(shape(await findings(engine)), left);
  assert.equal((await engine.drift()).ok, left.length === 0);
}

/** Waits until so many wait for a lock in this registry. */
export async function someoneWaits(fixture: RegistryFixture, count = 1): Promise<void> {
  const until = Date.now() + 10_000;
  while (Date.now() < until) {
    const rows = await fixture.sql(
      `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
      [fixture.registry],
      'postgres',
    );
    if (rows.length >= count) return;
  }
  throw new Error('nobody (else) waited for a lock within 10 s');
}

/** Removes every project of the fixture, so that each test starts with nothing that another one left. */
export async function removeAll(fixture: RegistryFixture): Promise<void> {
  for (const name of await fixture.databases()) {
    await fixture.release(name);
    await fixture.sql(`drop database "${name}" with (force)`, [], 'postgres');
  }
  const [there] = await fixture.sql<{ there: boolean }>(`select to_regclass('projects') is not null as there`);
  if (there?.there) await fixture.sql('delete from projects');
}
