import assert from 'node:assert/strict';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { changes, creations, refused, resolved, warningCodes } from '../support/resolutionAssertions.ts';
import { startTcpProxy } from '../support/tcpProxy.ts';
import { git, newRepository } from '../unit/git/gitFixture.ts';

const origin = 'https://host.example/acme/shop.git';
const fromConfig = ['explicit skipped', 'config matched', 'identity matched'];

/** Evidence costs nothing once it is kept, and holds wherever the project's row lies: registry, outbox or memory. */
describe('the evidence of a folder that is kept', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let engine: Engine;
  beforeEach(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
  });
  afterEach(() => fixture.close());

  async function workspace(project: { name: string; id?: string }, from: string | null = null): Promise<string> {
    const folder = await fixture.folder();
    if (from !== null) await fixture.origin(folder, from);
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  }

  function shown({ id, name }: Project): { name: string; id: string } {
    return { name, id };
  }

  /** Refused, with nothing read or made for the folder. */
  async function assertStranger(asked: Engine, folder: string): Promise<void> {
    fixture.spy.take();
    const answer = await asked.resolve({ directory: folder });
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    const error = refused(answer, 'PROJECT_CONFLICT');
    assert.match(error.message, /Nothing was read or made\.$/);
    assert.doesNotMatch(JSON.stringify(error), /cb_proj_/);
    assert.deepEqual(changes(fixture.spy.take()), []);
  }

  it('I2: makes a warm resolution one statement that writes nothing, for a clone, a worktree and a bound folder', async () => {
    const main = newRepository(await fixture.folder(), origin);
    await fixture.config(main, { version: '1.0', project: { name: 'warm' } });
    const project = resolved(await engine.resolve({ directory: main }));
    const clone = await workspace({ name: 'warm' }, origin);
    const worktree = `${main}-feature`;
    git(main, 'worktree', 'add', '--quiet', worktree);
    await fixture.config(worktree, { version: '1.0', project: shown(project) });
    const bound = await fixture.folder();
    await engine.useProject({ project: project.id, directory: bound, confirm: origin });
    const boundHere = await fixture.folder();
    await engine.useProject({ project: project.id, directory: boundHere, local: true, confirm: origin });
    const directories = [main, clone, worktree, bound, boundHere];

    const stateFolder = await fixture.stateFolder();
    const second = await fixture.engine({ stateFolder });
    // What only this machine knows, a binding, is kept in the state folder that it was made in.
    for (const directory of [main, clone, worktree, bound]) resolved(await second.resolve({ directory }));
    for (const directory of directories) resolved(await engine.resolve({ directory }));
    const row = await fixture.row(project.id);
    const claims = await stat(join(stateFolder, 'claims.json'), { bigint: true });
    for (const [asked, folders] of [
      [engine, directories],
      [second, directories.slice(0, -1)],
    ] as const) {
      for (const directory of folders) {
        fixture.spy.take();
        fixture.spy.takeRoundTrips();
        const answer = await asked.resolve({ directory });
        assert.deepEqual([resolved(answer).id, path(answer)], [project.id, fromConfig]);
        assert.equal(fixture.spy.takeRoundTrips(), 1, directory);
        assert.deepEqual(changes(fixture.spy.take()), []);
      }
    }
    assert.deepEqual(await fixture.row(project.id), row);
    assert.equal((await stat(join(stateFolder, 'claims.json'), { bigint: true })).mtimeNs, claims.mtimeNs);
  });

  it('I2: is asked of a project that waits in the outbox as of any other', async () => {
    await engine.listProjects({});
    await fixture.sql(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    const folder = await workspace({ name: 'queued' }, origin);
    const answer = await engine.resolve({ directory: folder });
    assert.deepEqual(warningCodes(answer), ['PENDING']);
    const project = resolved(answer);

    await assertStranger(engine, await workspace(shown(project)));
    await assertStranger(engine, await workspace(shown(project), 'https://host.example/eve/shop.git'));
    const clone = await workspace(shown(project), 'git@host.example:acme/shop.git');
    const inClone = await engine.resolve({ directory: clone });
    assert.deepEqual([resolved(inClone).id, warningCodes(inClone)], [project.id, ['PENDING']]);

    await fixture.sql('drop trigger refuse on projects');
    await engine.syncNow();
    // The row has the evidence that the entry had.
    const other = await fixture.engine();
    await assertStranger(other, await workspace(shown(project)));
    assert.equal(resolved(await other.resolve({ directory: clone })).id, project.id);
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  it('S4: is asked of a project that memory knows: a stranger with its id gets no answer, a clone gets it', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
    const url = new URL(fixture.url());
    url.port = String(proxy.port);
    const address = parseAddress(url.href, {}, localSurroundings());
    const asked = await fixture.engine({ address });
    const project = resolved(await asked.resolve({ directory: await workspace({ name: 'known' }, origin) }));
    await proxy.close();
    await assertStranger(asked, await workspace(shown(project)));
    await assertStranger(asked, await workspace(shown(project), 'https://host.example/eve/shop.git'));
    const stale = await asked.resolve({ directory: await workspace(shown(project), origin) });
    assert.deepEqual([resolved(stale).id, stale.stale, warningCodes(stale)], [project.id, true, ['STALE']]);
  });

  it('I2: may stay unwritten where the disk refuses it: the answer stands, and a later daemon judges again', async () => {
    const project = resolved(await engine.resolve({ directory: await workspace({ name: 'full' }, origin) }));
    const clone = await workspace({ name: 'full' }, origin);
    const stateFolder = await fixture.stateFolder();
    // No file can take the place of a folder.
    await mkdir(join(stateFolder, 'claims.json', 'in the way'), { recursive: true });
    for (let start = 0; start < 2; start++) {
      const daemon = await fixture.engine({ stateFolder });
      for (let round = 0; round < 2; round++) {
        const answer = await daemon.resolve({ directory: clone });
        assert.deepEqual([resolved(answer).id, warningCodes(answer)], [project.id, []]);
      }
      await daemon.close();
    }
  });

  it('I2: is kept by each of two daemons that share a state folder, beside what the other kept', async () => {
    const stateFolder = await fixture.stateFolder();
    const daemons = [await fixture.engine({ stateFolder }), await fixture.engine({ stateFolder })];
    const folders = await Promise.all(
      Array.from({ length: 8 }, (_, index) => workspace({ name: `shared ${String(index)}` })),
    );
    const [one, other] = daemons;
    assert.ok(one && other);
    for (const [index, directory] of folders.entries())
      resolved(await (index % 2 ? one : other).resolve({ directory }));
    const { claims } = JSON.parse(await readFile(join(stateFolder, 'claims.json'), 'utf8')) as {
      claims: { path: string }[];
    };
    assert.deepEqual(claims.map((claim) => claim.path).sort(), folders.sort());
  });
});
