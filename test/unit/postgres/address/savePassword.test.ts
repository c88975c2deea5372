import assert from 'node:assert/strict';
import { lstat, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresAddress } from '../../../../daemon/postgres/address/address.ts';
import { savePassword } from '../../../../daemon/postgres/address/savePassword.ts';

describe('a password that is saved for other PostgreSQL programs', () => {
  let folder: string;
  let passfile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-passfile-'));
    passfile = join(folder, '.pgpass');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const save = (host: string, user: string, password: string): Promise<string> =>
    savePassword({ hosts: [{ host, port: 5432 }], user, passfile } as unknown as PostgresAddress, password);

  it('makes the file for its owner alone', async () => {
    assert.equal(await save('db.example', 'ann', 'a:b\\c'), passfile);
    assert.equal(await readFile(passfile, 'utf8'), 'db.example:5432:*:ann:a\\:b\\\\c\n');
    assert.equal((await stat(passfile)).mode & 0o777, 0o600);
  });

  it('stands before what is there, takes the place of its own older line, and keeps every other as it is', async () => {
    await writeFile(passfile, '# mine\n\ndb.example:5432:*:ann:old\nother:5432:*:ann:kept');
    await save('db.example', 'ann', 'new');
    assert.equal(await readFile(passfile, 'utf8'), 'db.example:5432:*:ann:new\n# mine\n\nother:5432:*:ann:kept\n');
  });

  it('replaces the line of a user whose name ends in a backslash, and not that of another', async () => {
    await save('h', 'a\\', 'one');
    await save('h', 'b\\', 'two');
    await save('h', 'a\\', 'three');
    assert.equal(await readFile(passfile, 'utf8'), 'h:5432:*:a\\\\:three\nh:5432:*:b\\\\:two\n');
  });

  it('leaves a symbolic link a link, and nothing beside the file', async () => {
    const real = join(folder, 'dotfiles');
    await writeFile(real, 'other:5432:*:ann:kept\n', { mode: 0o600 });
    await symlink(real, passfile);
    await save('db.example', 'ann', 'new');
    assert.ok((await lstat(passfile)).isSymbolicLink());
    assert.equal(await readFile(real, 'utf8'), 'db.example:5432:*:ann:new\nother:5432:*:ann:kept\n');
    assert.deepEqual((await readdir(folder)).sort(), ['.pgpass', 'dotfiles']);
  });
});
