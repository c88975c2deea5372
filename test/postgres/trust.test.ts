import assert from 'node:assert/strict';
import { chown, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { WindowFolder } from '../../daemon/resolution/trust.ts';
import { noSettings, path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { canResolveAs, resolveAs, type ChildRequest } from '../support/resolveAsUser.ts';

describe('trust in a folder', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  let windows: WindowFolder[] = [];
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine({ windows: () => windows });
    resolved(await engine.createProject({ name: 'shared' }));
  });
  beforeEach(() => {
    windows = [];
    fixture.spy.take();
  });
  after(() => fixture.close());

  async function claimed(name: string): Promise<{ folder: string; file: string; text: string }> {
    const folder = await fixture.folder();
    const file = await fixture.config(folder, { version: '1.0', project: { name } });
    return { folder, file, text: await readFile(file, 'utf8') };
  }

  function assertRestricted(error: ErrorReport): void {
    assert.match(error.message, /Restricted Mode.*Nothing was created/);
    assert.match(error.hint, /trust the folder/);
    assert.deepEqual(fixture.spy.take(), []);
  }

  it('R13: is vetoed for every client by a window that has it open as untrusted, until it is trusted', async () => {
    const { folder, file, text } = await claimed('restricted');
    const below = join(folder, 'src');
    await mkdir(below);
    for (const path of [folder, dirname(folder), below]) {
      windows = [
        { path: folder, trusted: true },
        { path, trusted: false },
      ];
      const answer = await engine.resolve({ directory: below });
      assertRestricted(refused(answer, 'CONFIG_NOT_TRUSTED'));
      assert.equal(answer.configPath, file);
      assert.equal(answer.tier, 2);
    }
    assert.equal(await readFile(file, 'utf8'), text);
    assert.equal(await fixture.row('restricted'), undefined);

    windows = [{ path: folder, trusted: true }];
    const answer = await engine.resolve({ directory: below });
    assert.equal(resolved(answer).name, 'restricted');
    assert.equal(answer.created, true);
    windows = [{ path: folder, trusted: false }];
    fixture.spy.take();
    // What exists is not used either; a project that the caller names needs no config file.
    assertRestricted(refused(await engine.resolve({ directory: below }), 'CONFIG_NOT_TRUSTED'));
    assert.equal(resolved(await engine.resolve({ directory: below, project: 'restricted' })).name, 'restricted');
  });

  it('R13: is vetoed whichever links window and caller came through', async () => {
    const { folder } = await claimed('linked');
    const sub = join(folder, 'sub');
    await mkdir(sub);
    await symlink(folder, `${folder}-link`);
    await symlink(sub, `${folder}-sublink`);
    for (const [window, directory] of [
      [`${folder}-link`, folder],
      [folder, `${folder}-link`],
      [`${folder}-link/sub`, sub],
      // The config file is above the window's folder: only the directory is in it.
      [sub, `${folder}-sublink`],
    ] as const) {
      windows = [{ path: window, trusted: false }];
      assertRestricted(refused(await engine.resolve({ directory }), 'CONFIG_NOT_TRUSTED'));
    }
  });

  it('R13: is asked before anything that the config says counts or is told', async () => {
    const texts = [
      '{ "version": "1.0", "project": { "name": "a secret" }, "auto_switch": false }',
      '{ "version": "1.0", "project": { "name": "a secret!" } }',
      '{ "a secret": ',
    ];
    for (const text of texts) {
      const folder = await fixture.folder();
      await fixture.config(folder, text);
      windows = [{ path: folder, trusted: false }];
      const answer = await engine.resolve({ directory: folder });
      assertRestricted(refused(answer, 'CONFIG_NOT_TRUSTED'));
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
      assert.ok(!JSON.stringify(answer).includes('a secret'));
      // Nor does it keep a caller from the project that it names.
      const named = await engine.resolve({ directory: folder, project: 'shared' });
      assert.equal(resolved(named).name, 'shared');
      fixture.spy.take();
    }
    const strict = await fixture.folder();
    await fixture.config(strict, { version: '1.0', project: { name: 'a secret' }, strict_mode: true });
    windows = [{ path: strict, trusted: false }];
    assert.equal(resolved(await engine.resolve({ directory: strict, project: 'shared' })).name, 'shared');
    windows = [];
    refused(await engine.resolve({ directory: strict, project: 'shared' }), 'PROJECT_MISMATCH');
  });

  it('R13: that is vetoed lets no command write a config file', async () => {
    const folder = await fixture.folder();
    windows = [{ path: folder, trusted: false }];
    assertRestricted(await thrown(engine.createProject({ name: 'new', directory: folder }), 'CONFIG_NOT_TRUSTED'));
    assert.match(
      (await thrown(engine.useProject({ project: 'shared', directory: folder }), 'CONFIG_NOT_TRUSTED')).message,
      /Restricted Mode/,
    );
    assert.deepEqual(await readdir(folder), ['.git']);
    assert.equal(await fixture.row('new'), undefined);

    windows = [];
    const { name } = resolved(await engine.createProject({ name: 'first-name', directory: folder }));
    windows = [{ path: folder, trusted: false }];
    const renamed = await engine.updateProject({ project: name, name: 'second-name' });
    assert.equal(resolved(renamed).name, 'second-name');
    assert.equal((await fixture.readConfig(folder)).project.name, 'first-name');
  });

  const stranger = 12_345;
  const user = 65_534;

  it("R13: does not extend to another user's config file, until the user trusts its folder", async function () {
    if (!canResolveAs(user)) this.skip();
    const { folder, file, text } = await claimed('foreign');
    const request = await requestFor(folder);
    for (const owner of [stranger, 0]) {
      await giveTo(owner, file);
      const answer = await resolveAs(user, request);
      const error = refused(answer, 'CONFIG_NOT_TRUSTED');
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
      assert.ok(error.message.includes(`belongs to another user (uid ${String(owner)})`), error.message);
      assert.ok(error.hint.includes(`registrar trust ${folder}`), error.hint);
      assert.deepEqual(fixture.spy.take(), []);
    }
    assert.equal(await readFile(file, 'utf8'), text);
    assert.equal(await fixture.row('foreign'), undefined);

    const trusting = { ...request, settings: { ...noSettings, trustedFolders: [folder] } };
    const answer = await resolveAs(user, trusting);
    assert.equal(resolved(answer).name, 'foreign');
    assert.equal(answer.created, true);
    const vetoed = { ...trusting, windows: [{ path: folder, trusted: false }] };
    refused(await resolveAs(user, vetoed), 'CONFIG_NOT_TRUSTED');
    refused(await resolveAs(user, request), 'CONFIG_NOT_TRUSTED');
  });

  it("R13: within a trusted window covers root's and other users' files, as in a bind mount", async function () {
    if (!canResolveAs(user)) this.skip();
    for (const owner of [0, stranger]) {
      const { folder, file } = await claimed(`mounted-${String(owner)}`);
      await giveTo(owner, file);
      const request = { ...(await requestFor(folder)), windows: [{ path: folder, trusted: true }] };
      const answer = await resolveAs(user, request);
      assert.equal(resolved(answer).name, `mounted-${String(owner)}`);
      assert.deepEqual(
        answer.warnings.map(({ code }) => code),
        // It may not write there.
        ['ID_NOT_WRITTEN'],
      );
    }
  });

  it('R13: is given by root to any owner, and by everyone to their own files', async function () {
    if (!canResolveAs(user)) this.skip();
    const { folder, file } = await claimed('any-owner');
    await giveTo(stranger, file);
    assert.equal(resolved(await engine.resolve({ directory: folder })).name, 'any-owner');
    const own = await claimed('own');
    await giveTo(user, own.file);
    const answer = await resolveAs(user, await requestFor(own.folder));
    assert.equal((await fixture.readConfig(own.folder)).project.id, resolved(answer).id);
  });

  async function requestFor(directory: string): Promise<ChildRequest> {
    const stateFolder = await fixture.stateFolder();
    await chown(stateFolder, user, user);
    return { url: fixture.url(), stateFolder, home: stateFolder, settings: noSettings, windows: [], directory };
  }
});

async function giveTo(uid: number, file: string): Promise<void> {
  await chown(file, uid, uid);
  await chown(dirname(file), uid, uid);
}
