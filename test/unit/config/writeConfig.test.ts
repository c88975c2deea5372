import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigEdit } from '../../../daemon/config/editConfig.ts';
import { createConfig, writeConfigEdits } from '../../../daemon/config/writeConfig.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { asOrdinaryUser, giveToOrdinaryUser, put, putConfig, scratchFolder } from './scratchFolder.ts';

const scratch = scratchFolder();
const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';
const setId = (): ConfigEdit[] => [{ key: 'project.id', value: id }];
const commented =
  '\uFEFF// ours\r\n{\r\n\t"version": "1.0",\r\n\t"project": {\r\n\t\t"name": "shop" // the name\r\n\t},\r\n\t"x": [1,2],\r\n}';

const putText = (folder: string, text: string): Promise<string> =>
  put(join(scratch.path(folder), '.codebase-mcp', 'config.json'), text);

/** No temporary file may stay behind. */
async function assertAlone(path: string): Promise<void> {
  assert.deepEqual(await readdir(dirname(path)), ['config.json']);
}

describe('C10: writing a config file', () => {
  it('keeps comments, CRLF, byte order mark, order, owner and mode', async () => {
    const path = await putText('all', commented);
    await chmod(path, 0o640);
    if (process.getuid?.() === 0) await chown(path, 65534, 65533);
    const before = await stat(path);
    const write = await writeConfigEdits(path, setId);
    assert.equal(write.written, true);
    assert.equal(write.config.id, id);
    const expected = commented.replace('"shop" // the name', `"shop", // the name\r\n\t\t"id": "${id}"`);
    assert.equal(await readFile(path, 'utf8'), expected);
    const after = await stat(path);
    assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode]);
    assert.notEqual(after.ino, before.ino);
    await assertAlone(path);
  });

  it('writes nothing when there is nothing to change', async () => {
    const path = await putConfig(scratch.path('same'));
    await writeConfigEdits(path, setId);
    const before = await stat(path);
    const write = await writeConfigEdits(path, setId);
    assert.equal(write.written, false);
    assert.equal(write.failure, undefined);
    assert.equal(write.config.id, id);
    const after = await stat(path);
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
  });

  it('keeps a symbolic link and writes what it leads to', async () => {
    const target = await put(scratch.path('target', 'shared.json'), '{"version": "1.0", "project": {"name": "a"}}');
    const path = scratch.path('link', '.codebase-mcp', 'config.json');
    await mkdir(dirname(path), { recursive: true });
    await symlink('../../target/shared.json', path);
    assert.equal((await writeConfigEdits(path, setId)).written, true);
    assert.equal(await readlink(path), '../../target/shared.json');
    assert.ok((await readFile(target, 'utf8')).includes(id));
    await assertAlone(path);
    assert.deepEqual(await readdir(dirname(target)), ['shared.json']);
  });

  it('lets an edit win that is made meanwhile, and edits what it left', async () => {
    const path = await putText('edited', '{"version": "1.0", "project": {"name": "shop"}}');
    const seen: string[] = [];
    const write = await writeConfigEdits(path, (current) => {
      seen.push(current.name);
      if (seen.length === 1) writeFileSync(path, '{"version": "1.0", "project": {"name": "store"}} // mine');
      return setId();
    });
    assert.deepEqual(seen, ['shop', 'store']);
    assert.equal(write.written && write.config.name, 'store');
    assert.equal(
      await readFile(path, 'utf8'),
      `{"version": "1.0", "project": {"name": "store", "id": "${id}"}} // mine`,
    );
    await assertAlone(path);
  });

  it('takes the id that a winner wrote meanwhile', async () => {
    const other = '00000000-0000-4000-8000-000000000001';
    const path = await putText('winner', '{"version": "1.0", "project": {"name": "shop"}}');
    let calls = 0;
    const write = await writeConfigEdits(path, (current) => {
      if (++calls === 1) writeFileSync(path, `{"version": "1.0", "project": {"name": "shop", "id": "${other}"}}`);
      return current.id === null ? setId() : [];
    });
    assert.equal(write.written, false);
    assert.equal(write.config?.id, other);
  });

  it('gives up, and changes nothing, when the file changes five times meanwhile', async () => {
    const path = await putText('restless', '{"version": "1.0", "project": {"name": "shop"}}');
    let calls = 0;
    const write = writeConfigEdits(path, () => {
      calls += 1;
      appendFileSync(path, '\n');
      return setId();
    });
    await assert.rejects(write, (error) => error instanceof RegistrarError && error.code === 'CONFIG_CHANGED');
    assert.equal(calls, 5);
    assert.ok(!(await readFile(path, 'utf8')).includes(id));
    await assertAlone(path);
  });

  it('lets writers of one daemon take turns, so that neither undoes the other', async () => {
    const path = await putConfig(scratch.path('turns'));
    const edits: ConfigEdit[] = [
      ...setId(),
      { key: 'project.name', value: 'b' },
      { key: 'project.database_name', value: 'cb_proj_b_1f2e3d4c' },
    ];
    const writes = await Promise.all(edits.map((edit) => writeConfigEdits(path, () => [edit])));
    assert.deepEqual(
      writes.map((write) => write.written),
      [true, true, true],
    );
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), {
      version: '1.0',
      project: { name: 'b', id, database_name: 'cb_proj_b_1f2e3d4c' },
    });
  });

  it('refuses to write what could not be read again', async () => {
    const path = await putConfig(scratch.path('invalid'));
    const write = writeConfigEdits(path, () => [{ key: 'project.name', value: 'default' }]);
    await assert.rejects(write, (error) => error instanceof RegistrarError && error.code === 'NAME_INVALID');
    await assertAlone(path);
  });
});

describe('C9: a config file that cannot be written', () => {
  it('is reported when it vanished', async () => {
    const path = await putConfig(scratch.path('vanished'));
    const write = await writeConfigEdits(path, () => {
      rmSync(path);
      return setId();
    });
    assert.deepEqual([write.written, write.failure?.code], [false, 'ENOENT']);
    assert.deepEqual(await readdir(dirname(path)), []);
    assert.equal((await writeConfigEdits(path, setId)).failure?.code, 'ENOENT');
  });

  it('is reported when the file is read-only, to root as well', async () => {
    const path = await putConfig(scratch.path('readOnly'));
    await chmod(path, 0o444);
    const write = await writeConfigEdits(path, setId);
    assert.equal(write.failure?.code, 'EACCES');
    assert.ok(write.failure.message.startsWith(path));
    assert.ok(!(await readFile(path, 'utf8')).includes(id));
  });

  it('is reported when its folder is read-only, and nothing is left there', async () => {
    const path = await putConfig(scratch.path('readOnlyFolder'));
    await giveToOrdinaryUser(path, dirname(path));
    await chmod(dirname(path), 0o555);
    try {
      const write = await asOrdinaryUser(() => writeConfigEdits(path, setId));
      assert.equal(write.failure?.code, 'EACCES');
      await assertAlone(path);
    } finally {
      await chmod(dirname(path), 0o755);
    }
  });

  it('is reported when it would get another owner', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const path = await putConfig(scratch.path('foreign'));
    await giveToOrdinaryUser(dirname(path));
    await chmod(path, 0o666);
    const write = await asOrdinaryUser(() => writeConfigEdits(path, setId));
    assert.equal(write.failure?.code, 'EPERM');
    assert.equal((await stat(path)).uid, 0);
    await assertAlone(path);
  });
});

describe('creating a config file', () => {
  it('writes it whole, in the order that people expect', async () => {
    const folder = scratch.path('new');
    await mkdir(folder);
    const creation = await createConfig(folder, { name: 'shop', id, description: 'Sells' });
    const path = join(folder, '.codebase-mcp', 'config.json');
    assert.deepEqual(creation, { created: true, path });
    assert.equal(
      await readFile(path, 'utf8'),
      `{\n  "version": "1.0",\n  "project": {\n    "name": "shop",\n    "id": "${id}"\n  },\n  "description": "Sells"\n}\n`,
    );
    await assertAlone(path);
  });

  it('never overwrites one, not even a link to nothing', async () => {
    const path = await putText('there', 'mine');
    assert.deepEqual(await createConfig(scratch.path('there'), { name: 'shop', id }), { created: false, path });
    assert.equal(await readFile(path, 'utf8'), 'mine');
    const dangling = scratch.path('dangling', '.codebase-mcp', 'config.json');
    await mkdir(dirname(dangling), { recursive: true });
    await symlink('nothing', dangling);
    assert.equal((await createConfig(scratch.path('dangling'), { name: 'shop', id })).created, false);
    assert.ok((await lstat(dangling)).isSymbolicLink());
  });

  it('is done by one of many at once', async () => {
    const folder = scratch.path('race');
    await mkdir(folder);
    const names = Array.from({ length: 16 }, (_, index) => `n${index}`);
    const creations = await Promise.all(names.map((name) => createConfig(folder, { name, id: null })));
    const winners = names.filter((_, index) => creations[index]?.created);
    assert.equal(winners.length, 1);
    assert.ok(creations.every((creation) => creation.failure === undefined));
    const path = join(folder, '.codebase-mcp', 'config.json');
    const written = JSON.parse(await readFile(path, 'utf8')) as unknown;
    assert.deepEqual(written, { version: '1.0', project: { name: winners[0] } });
    await assertAlone(path);
  });

  it('reports a folder that may not be written or is not there, and leaves nothing', async () => {
    const folder = scratch.path('locked');
    await mkdir(folder, { mode: 0o555 });
    const locked = await asOrdinaryUser(() => createConfig(folder, { name: 'shop', id }));
    assert.equal(locked.failure?.code, 'EACCES');
    assert.deepEqual(await readdir(folder), []);
    assert.equal((await createConfig(scratch.path('missing'), { name: 'shop', id })).failure?.code, 'ENOENT');
  });

  it('refuses a name that could not be read again, before anything is made', async () => {
    const folder = scratch.path('badName');
    await mkdir(folder);
    const creation = createConfig(folder, { name: '@scope/my.app', id });
    await assert.rejects(creation, (error) => error instanceof RegistrarError && error.code === 'NAME_INVALID');
    assert.deepEqual(await readdir(folder), []);
  });
});
