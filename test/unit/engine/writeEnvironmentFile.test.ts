import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeEnvironmentFile } from '../../../daemon/engine/writeEnvironmentFile.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';

const adding = (before: Buffer | null): Buffer => Buffer.from(`${before?.toString() ?? ''}A=1\n`);

describe('writing a .env file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'registrar-envfile-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = (name = '.env'): string => join(folder, name);

  async function refused(path: string, words: RegExp): Promise<void> {
    await assert.rejects(writeEnvironmentFile(path, adding), (error) => {
      assert.ok(error instanceof RegistrarError, String(error));
      assert.equal(error.code, 'INVALID_ARGUMENT');
      assert.match(error.message, words);
      return true;
    });
  }

  it('makes a new one that only the user may read', async () => {
    assert.equal(await writeEnvironmentFile(file(), adding), 'created');
    assert.equal(readFileSync(file(), 'utf8'), 'A=1\n');
    if (process.platform !== 'win32') assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['.env']);
  });

  it('keeps mode and link of one that is there, and touches nothing that is right already', async () => {
    writeFileSync(file('real'), 'B=2\n');
    chmodSync(file('real'), 0o640);
    symlinkSync('real', file());
    assert.equal(await writeEnvironmentFile(file(), adding), 'changed');
    assert.ok(lstatSync(file()).isSymbolicLink());
    assert.equal(readFileSync(file('real'), 'utf8'), 'B=2\nA=1\n');
    if (process.platform !== 'win32') assert.equal(statSync(file('real')).mode & 0o777, 0o640);
    const { ino } = statSync(file('real'));
    assert.equal(await writeEnvironmentFile(file(), (before) => before ?? Buffer.alloc(0)), 'unchanged');
    assert.equal(statSync(file('real')).ino, ino);
    assert.deepEqual(readdirSync(folder).sort(), ['.env', 'real']);
  });

  it('begins again when somebody else wrote meanwhile', async () => {
    writeFileSync(file(), 'B=2\n');
    let calls = 0;
    const done = await writeEnvironmentFile(file(), (before) => {
      calls += 1;
      if (calls === 1) writeFileSync(file(), 'C=3\n');
      return adding(before);
    });
    assert.deepEqual([done, calls], ['changed', 2]);
    assert.equal(readFileSync(file(), 'utf8'), 'C=3\nA=1\n');
  });

  it('refuses what git tracks, also through a link', async () => {
    execFileSync('git', ['init', '--quiet'], { cwd: folder });
    writeFileSync(file(), 'B=2\n');
    writeFileSync(file('ignored'), '');
    execFileSync('git', ['add', '.env'], { cwd: folder });
    symlinkSync('.env', file('link'));
    await refused(file(), /git tracks .*\.env, .*nothing was written/);
    await refused(file('link'), /git tracks/);
    assert.equal(readFileSync(file(), 'utf8'), 'B=2\n');
    assert.equal(await writeEnvironmentFile(file('ignored'), adding), 'changed');
  });

  it('refuses what is no file, is read-only, too large or in no folder, and leaves it as it is', async () => {
    mkdirSync(file('sub'));
    writeFileSync(file('locked'), 'B=2\n');
    chmodSync(file('locked'), 0o444);
    writeFileSync(file('large'), 'x'.repeat(2_000_000));
    symlinkSync('nowhere', file('dangling'));
    await refused(file('sub'), /is not a file; nothing/);
    await refused(file('locked'), /is not writable by you; nothing/);
    await refused(file('large'), /larger than 1024 KiB/);
    await refused(file('none/.env'), /is gone; nothing/);
    await refused(file('dangling'), /EEXIST|nothing was written/);
    assert.equal(readFileSync(file('locked'), 'utf8'), 'B=2\n');
  });

  it('leaves it as it is when the edit is refused', async () => {
    writeFileSync(file(), 'B=2\n');
    const refusing = (): Buffer => {
      throw new RegistrarError({ code: 'INVALID_ARGUMENT', message: 'no', hint: 'h' });
    };
    await assert.rejects(writeEnvironmentFile(file(), refusing), /no/);
    assert.equal(readFileSync(file(), 'utf8'), 'B=2\n');
    assert.deepEqual(readdirSync(folder), ['.env']);
  });
});
