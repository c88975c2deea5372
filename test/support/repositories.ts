import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { git } from '../unit/git/gitFixture.ts';
import type { RegistryFixture } from './registryFixture.ts';
import { changes, refused, resolved } from './resolutionAssertions.ts';

export interface RepositoryOptions {
  /** What the remote `origin` says; null for a repository without one. */
  origin?: string | null;
  /** What `project` of the config says; null for a repository without a config. */
  project?: object | null;
  /** Whether git tracks the config, so that the id is not written into it. */
  tracked?: boolean;
  /** Where the config stands, inside. */
  inside?: string;
}

/** Real repositories, made by git, below one folder that nothing else is in. */
export class Repositories {
  readonly base: string;

  private constructor(base: string) {
    this.base = base;
  }

  static async open(fixture: RegistryFixture): Promise<Repositories> {
    const base = join(dirname(await fixture.stateFolder()), 'repositories');
    await mkdir(base, { recursive: true });
    return new Repositories(base);
  }

  at(name: string): string {
    return join(this.base, name);
  }

  /** A repository with a commit in it. */
  async make(name: string, options: RepositoryOptions = {}): Promise<string> {
    const { origin = null, project = null, tracked = false, inside = '' } = options;
    const folder = this.at(name);
    git(folder, 'init', '--quiet');
    await writeFile(join(folder, 'README'), name);
    if (project) await writeConfig(join(folder, inside), project);
    if (tracked) git(folder, 'add', '--all');
    else git(folder, 'add', 'README');
    git(folder, 'commit', '--quiet', '-m', name);
    if (origin !== null) git(folder, 'remote', 'add', 'origin', origin);
    return folder;
  }

  /** A clone, whose origin then says what that of a clone from a server would say. */
  clone(source: string, name: string, origin: string | null, ...options: string[]): string {
    const folder = this.at(name);
    git(this.base, 'clone', '--quiet', ...options, source, folder);
    if (origin === null) git(folder, 'remote', 'remove', 'origin');
    else if (origin !== source) git(folder, 'remote', 'set-url', 'origin', origin);
    return folder;
  }

  /** What stood there is gone, and another repository is cloned to its place. */
  async replace(folder: string, source: string, origin: string | null): Promise<void> {
    await rm(folder, { recursive: true, force: true });
    git(this.base, 'clone', '--quiet', source, folder);
    if (origin === null) git(folder, 'remote', 'remove', 'origin');
    else git(folder, 'remote', 'set-url', 'origin', origin);
  }
}

export async function writeConfig(folder: string, project: object): Promise<string> {
  const path = join(folder, '.codebase-mcp', 'config.json');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify({ version: '1.0', project }, null, 2)}\n`);
  return path;
}

export function readConfigText(folder: string): Promise<string> {
  return readFile(join(folder, '.codebase-mcp', 'config.json'), 'utf8');
}

/** A project with a secret in its database, made by a folder of its own. */
export async function projectWithCards(fixture: RegistryFixture, engine: Engine, directory: string): Promise<Project> {
  const project = resolved(await engine.resolve({ directory }));
  await fixture.sql('create table if not exists cards (number text)', [], project.databaseName);
  await fixture.sql(`insert into cards values ('4111')`, [], project.databaseName);
  await fixture.release(project.databaseName);
  // Younger than a minute, it might be about to get its id into a config: everybody would wait for that.
  await fixture.sql(`update projects set created_at = created_at - interval '1 hour' where id = $1`, [project.id]);
  fixture.spy.take();
  return project;
}

/** Every row, and every database of this registry with its marker. */
export async function everything(fixture: RegistryFixture): Promise<string> {
  const rows = await fixture.sql('select * from projects order by id');
  const databases = await fixture.databases();
  const markers = await Promise.all(databases.map((name) => fixture.marker(name)));
  return JSON.stringify({ rows, databases, markers }, null, 1);
}

/**
 * Resolves a stranger's folder: refused, and nothing was written, made, or told but whose the project is.
 *
 * @returns the error
 */
export async function assertKeptOut(
  fixture: RegistryFixture,
  attack: { directory: string; project: Project; config?: string },
  resolve: () => Promise<Resolution>,
): Promise<ErrorReport> {
  const { directory, project } = attack;
  const before = await everything(fixture);
  const config = await readConfigText(attack.config ?? directory);
  fixture.spy.take();
  const error = refused(await resolve(), 'PROJECT_CONFLICT');
  assert.deepEqual(changes(fixture.spy.take()), []);
  assert.equal(await everything(fixture), before);
  assert.equal(await readConfigText(attack.config ?? directory), config);
  const told = JSON.stringify(error);
  for (const secret of [project.databaseName, 'cb_proj_', 'creator', 'claims'])
    assert.ok(!told.includes(secret), `told ${secret}: ${told}`);
  return error;
}
