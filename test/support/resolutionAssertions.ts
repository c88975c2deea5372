import assert from 'node:assert/strict';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { RegistryFixture } from './registryFixture.ts';

/** The project of a resolution that has to have one. */
export function resolved(resolution: Resolution): Project {
  assert.equal(resolution.outcome, 'resolved', JSON.stringify(resolution.error ?? resolution.trace));
  assert.ok(resolution.project);
  return resolution.project;
}

/** The error of a resolution that has to be refused with this code, and that says what to do next. */
export function refused(resolution: Resolution, code: ErrorReport['code']): ErrorReport {
  assert.equal(resolution.outcome, 'refused', JSON.stringify(resolution.project));
  assert.equal(resolution.project, null);
  assert.ok(resolution.error);
  assert.equal(resolution.error.code, code, resolution.error.message);
  assert.notEqual(resolution.error.hint, '');
  return resolution.error;
}

/** The error that a command has to throw with this code. */
export async function thrown(command: Promise<unknown>, code: ErrorReport['code']): Promise<ErrorReport> {
  const error: unknown = await command.then(
    () => assert.fail(`no ${code} was thrown`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RegistrarError, String(error));
  assert.equal(error.code, code, error.message);
  assert.notEqual(error.hint, '');
  return error.toReport();
}

export function warningCodes(resolution: Resolution): string[] {
  return resolution.warnings.map(({ code }) => code);
}

/** The CREATE DATABASE statements for projects among those that a spy saw; the registry's own does not count. */
export function creations(statements: readonly string[]): string[] {
  return statements.filter((sql) => /^\s*create database "?cb_proj_/i.test(sql));
}

/** The statements among those that a spy saw that change something on the server. */
export function changes(statements: readonly string[]): string[] {
  return statements.filter(
    (sql) =>
      /^\s*(?:create|alter|drop|comment|insert|update|delete)\b/i.test(sql) &&
      // What was refused or handed over is noted after the answer, so also while the next question is being answered.
      !/^\s*insert into public\.registrar_events\b/.test(sql),
  );
}

/** Row, catalog and marker, and the config file where a folder is given, all name the same project and database. */
export async function assertAgreement(
  fixture: RegistryFixture,
  expected: Pick<Project, 'id' | 'name' | 'databaseName'>,
  folder: string | null,
): Promise<void> {
  const { id, name, databaseName } = expected;
  const [row, ...others] = await fixture.sql('select * from projects where id = $1 or name = $2', [id, name]);
  assert.deepEqual(others, []);
  assert.deepEqual(
    { id: row?.['id'], name: row?.['name'], databaseName: row?.['database_name'] },
    { id, name, databaseName },
  );
  const marker = await fixture.marker(databaseName);
  assert.deepEqual(
    { registry: marker?.registry, id: marker?.projectId, name: marker?.name, forgottenAt: marker?.forgottenAt },
    { registry: fixture.registry, id, name, forgottenAt: null },
  );
  if (folder === null) return;
  const { project } = await fixture.readConfig(folder);
  assert.deepEqual({ id: project.id, name: project.name }, { id, name });
}
