import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fs, {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, changes, creations, resolved, warningCodes } from '../support/resolutionAssertions.ts';

describe('writing the id into the config file of a new project', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  afterEach(() => {
    fixture.spy.rewrite = null;
  });
  after(() => fixture.close());

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  /** The project was made and is found again without an id in the file, with a warning that says how to put it there. */
  async function assertUsable(folder: string, name: string, reason: RegExp): Promise<void> {
    const engine = await fixture.engine();
    const before = await fixture.databases();
    const answer = await engine.resolve({ directory: folder });
    const project = resolved(answer);
    assert.equal(answer.created, true);
    assert.deepEqual(path(answer), found);
    assert.deepEqual(warningCodes(answer), ['ID_NOT_WRITTEN']);
    const [notWritten] = answer.warnings;
    assert.match(notWritten?.message ?? '', reason);
    assert.ok(notWritten?.hint.includes(`"id": "${project.id}"`), notWritten?.hint);
    await assertAgreement(fixture, { ...project, name }, null);
    assert.equal((await fixture.databases()).length, before.length + 1);
  }

  it('C9: a read-only config file stays as it is, and the project is usable with a warning', async () => {
    const folder = await fixture.folder();
    const file = await fixture.config(folder, { version: '1.0', project: { name: 'read only' } });
    const before = await readFile(file, 'utf8');
    await chmod(file, 0o444);
    await assertUsable(folder, 'read only', /config\.json is not writable by you/);
    assert.equal(await readFile(file, 'utf8'), before);
    assert.deepEqual(await readdir(dirname(file)), ['config.json']);

    const engine = await fixture.engine();
    fixture.spy.take();
    const again = await engine.resolve({ directory: folder });
    assert.equal(resolved(again).name, 'read only');
    assert.equal(again.created, false);
    assert.deepEqual(warningCodes(again), ['ID_NOT_WRITTEN']);
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C9: a config file that vanished while its project was made leaves the project usable with a warning', async () => {
    const folder = await fixture.folder();
    const file = await fixture.config(folder, { version: '1.0', project: { name: 'vanished' } });
    fixture.spy.rewrite = (sql) => {
      if (sql.includes('cb_proj_vanished')) rmSync(file, { force: true });
      return null;
    };
    await assertUsable(folder, 'vanished', /config\.json is gone/);
    assert.deepEqual(await readdir(dirname(file)), []);
  });

  it('C9: registrar.config.writeId "never" leaves the file alone, and warns nobody who asked for that', async () => {
    const engine = await fixture.engine({ settings: { 'registrar.config.writeId': 'never' } });
    const folder = await fixture.folder();
    const file = await fixture.config(folder, { version: '1.0', project: { name: 'never' } });
    const before = await readFile(file, 'utf8');
    const answer = await engine.resolve({ directory: folder });
    const project = resolved(answer);
    assert.deepEqual(warningCodes(answer), []);
    assert.equal(await readFile(file, 'utf8'), before);
    await assertAgreement(fixture, project, null);
    fixture.spy.take();
    const again = await engine.resolve({ directory: folder });
    assert.deepEqual([resolved(again).id, warningCodes(again)], [project.id, []]);
    assert.match(again.trace[1]?.reason ?? '', /^name "never"/);
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C9: registrar.config.writeId "untracked" leaves a file alone that git tracks, and writes one that it does not', async function () {
    const engine = await fixture.engine({ settings: { 'registrar.config.writeId': 'untracked' } });
    for (const tracked of [true, false]) {
      const folder = await fixture.folder();
      await rm(join(folder, '.git'), { recursive: true });
      const git = (...args: string[]): void => {
        execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
      };
      try {
        git('init');
      } catch {
        // Nothing is tracked where there is no git.
        this.skip();
      }
      const name = tracked ? 'tracked' : 'untracked';
      const file = await fixture.config(folder, { version: '1.0', project: { name } });
      if (tracked) git('add', file);
      const before = await readFile(file, 'utf8');
      const answer = await engine.resolve({ directory: folder });
      const { id } = resolved(answer);
      assert.deepEqual(warningCodes(answer), []);
      assert.equal((await fixture.readConfig(folder)).project.id, tracked ? undefined : id);
      if (tracked) assert.equal(await readFile(file, 'utf8'), before);
      const again = await engine.resolve({ directory: folder });
      assert.deepEqual([resolved(again).id, again.created], [id, false]);
      assert.match(again.trace[1]?.reason ?? '', tracked ? /^name "tracked"/ : new RegExp(`^id ${id.slice(0, 8)}`));
    }
  });

  const laidOut = [
    '\uFEFF// ours, please keep',
    '{',
    '\t"version": "1.0",',
    '\t"auto_switch": true, /* yes */',
    '\t"project": {',
    '\t\t"name": "laid out" // the name',
    '\t},',
    '\t"zebra": [1,2,   3],',
    '\t"another": { "key": null },',
    '}',
    '',
  ].join('\r\n');

  it('C10: comments, order, indentation, CRLF, byte order mark, owner, mode and symlink survive a whole resolve', async () => {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    const elsewhere = await fixture.folder();
    const target = join(elsewhere, 'shared.json');
    await writeFile(target, laidOut);
    await chmod(target, 0o640);
    // Only root can give a file away.
    if (process.getuid?.() === 0) await chown(target, 65_534, 65_533);
    const before = await stat(target);
    const link = join(folder, '.codebase-mcp', 'config.json');
    await mkdir(dirname(link));
    await symlink(target, link);

    const answer = await engine.resolve({ directory: folder });
    const project = resolved(answer);
    assert.deepEqual(answer.warnings, []);
    const expected = laidOut.replace('"laid out" // the name', `"laid out", // the name\r\n\t\t"id": "${project.id}"`);
    assert.equal(await readFile(target, 'utf8'), expected);
    assert.equal((await lstat(link)).isSymbolicLink(), true);
    assert.equal(await readlink(link), target);
    const after = await stat(target);
    assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode]);
    assert.deepEqual(await readdir(dirname(link)), ['config.json']);

    const again = await engine.resolve({ directory: folder });
    assert.equal(resolved(again).id, project.id);
    assert.equal(await readFile(target, 'utf8'), expected);
  });

  it('C10: an edit made while the project is being created survives', async () => {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    const file = await fixture.config(folder, laidOut.replace('laid out', 'edited meanwhile'));
    let edits = 0;
    fixture.spy.rewrite = (sql) => {
      if (creations([sql]).length > 0 && sql.includes('cb_proj_')) {
        edits += 1;
        writeFileSync(file, readFileSync(file, 'utf8').replace('[1,2,   3]', '[1,2,   3, 4]'));
      }
      return null;
    };
    const answer = await engine.resolve({ directory: folder });
    const { id } = resolved(answer);
    assert.equal(edits, 1);
    const text = await readFile(file, 'utf8');
    assert.ok(text.includes('[1,2,   3, 4]'), text);
    assert.ok(text.includes(`"id": "${id}"`), text);
    assert.equal(
      text.length,
      laidOut.replace('laid out', 'edited meanwhile').length + ', 4'.length + `,\r\n\t\t"id": "${id}"`.length,
    );
  });

  it('C10: an edit between the last look at the file and its replacement survives', async () => {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    const file = await fixture.config(folder, { version: '1.0', project: { name: 'at the last moment' } });
    let edits = 0;
    await whenTemporaryFileIsMade(
      () => {
        // Once: the writer begins anew from what it then finds.
        if (edits++ === 0) appendFileSync(file, '// a person was here\n');
      },
      async () => {
        const answer = await engine.resolve({ directory: folder });
        const { id } = resolved(answer);
        assert.deepEqual(answer.warnings, []);
        assert.equal(edits, 2);
        const text = await readFile(file, 'utf8');
        assert.ok(text.endsWith('}\n// a person was here\n'), text);
        assert.ok(text.includes(`"id": "${id}"`), text);
        assert.deepEqual(await readdir(dirname(file)), ['config.json']);
      },
    );
  });

  it('C10: an id that somebody else writes at the last moment is not overwritten', async () => {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    const other = '0a0b0c0d-1111-4111-8111-0e0f10111213';
    const file = await fixture.config(folder, { version: '1.0', project: { name: 'two writers' } });
    let edits = 0;
    await whenTemporaryFileIsMade(
      () => {
        edits += 1;
        writeFileSync(file, JSON.stringify({ version: '1.0', project: { name: 'two writers', id: other } }));
      },
      async () => {
        const answer = await engine.resolve({ directory: folder });
        const { id } = resolved(answer);
        assert.notEqual(id, other);
        assert.equal(edits, 1);
        assert.deepEqual(warningCodes(answer), ['ID_NOT_WRITTEN']);
        assert.match(answer.warnings[0]?.message ?? '', new RegExp(`has the id ${other} by now`));
        assert.equal((await fixture.readConfig(folder)).project.id, other);
      },
    );
  });
});

/**
 * Calls `edit` whenever the writer has opened its temporary file: after it read the config file, before it reads it for
 * the last time. Watching the folder would be told too late now and then.
 */
async function whenTemporaryFileIsMade(edit: () => void, run: () => Promise<void>): Promise<void> {
  const { open } = fs;
  fs.open = async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    if (String(args[0]).includes('.config.json.')) edit();
    return handle;
  };
  syncBuiltinESMExports();
  try {
    await run();
  } finally {
    fs.open = open;
    syncBuiltinESMExports();
  }
}
