import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsFile } from '../../../daemon/stateFolder/settingsFile.ts';
import type { Settings } from '../../../daemon/protocol/settings.ts';

const defaults: Settings = {
  postgres: null,
  trustedFolders: [],
  'registrar.postgres.projectSchema': null,
  'registrar.postgres.ownerRole': null,
  'registrar.workflow.url': null,
  'registrar.defaultProject.enabled': false,
  'registrar.config.writeId': 'untracked',
  'registrar.daemon.idleMinutes': 10,
  'registrar.mcp.enabled': true,
  'registrar.mcp.tools': 'standard',
};

describe('settingsFile', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-settings-'));
    path = join(folder, 'settings.json');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('reads the defaults where nothing was written, and writes nothing', async () => {
    assert.deepEqual(await settingsFile(path).read(), defaults);
    assert.deepEqual(await readdir(folder), []);
  });

  it('gives the next reader what was changed, in a file for its owner alone', async () => {
    const changed = await settingsFile(path).update((now) => ({ ...now, postgres: { kind: 'bundled' } }));
    assert.deepEqual(changed, { ...defaults, postgres: { kind: 'bundled' } });
    assert.deepEqual(await settingsFile(path).read(), changed);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['settings.json']);
  });

  it('keeps the keys that it does not know', async () => {
    await writeFile(path, '{"later": {"a": 1}, "trustedFolders": ["/a"]}');
    await settingsFile(path).update((now) => ({ ...now, trustedFolders: [...now.trustedFolders, '/b'] }));
    const written = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(written['later'], { a: 1 });
    assert.deepEqual(written['trustedFolders'], ['/a', '/b']);
  });

  it('forgets the old address when another kind of server is chosen', async () => {
    const file = settingsFile(path);
    await file.update((now) => ({ ...now, postgres: { kind: 'url', url: 'postgresql://h' } }));
    await file.update((now) => ({ ...now, postgres: { kind: 'bundled' } }));
    assert.deepEqual((await file.read()).postgres, { kind: 'bundled' });
  });

  for (const text of ['{"postgres": ', '5', '[]', '{"trustedFolders": "all"}', '{"postgres": {"kind": "url"}}']) {
    it(`refuses ${text}, names the file and leaves it as it is`, async () => {
      await writeFile(path, text);
      const refusal = { code: 'INVALID_ARGUMENT', message: new RegExp(path), hint: /Correct .*settings\.json/ };
      await assert.rejects(settingsFile(path).read(), refusal);
      await assert.rejects(
        settingsFile(path).update(() => defaults),
        refusal,
      );
      assert.equal(await readFile(path, 'utf8'), text);
      assert.deepEqual(await readdir(folder), ['settings.json']);
    });
  }

  it('never repeats the content of a damaged file', async () => {
    await writeFile(path, '{"postgres": {"kind": "url", "url": "postgresql://u:hunter2@h"');
    await assert.rejects(settingsFile(path).read(), (error: Error) => !error.message.includes('hunter2'));
  });

  it('loses no update of several processes at once', async () => {
    const script = `
      import { settingsFile } from ${JSON.stringify(import.meta.resolve('../../../daemon/stateFolder/settingsFile.ts'))};
      for (let n = 0; n < 10; n += 1) {
        await settingsFile(process.argv[1]).update((now) => ({
          ...now, trustedFolders: [...now.trustedFolders, '/' + process.pid + '/' + n],
        }));
      }`;
    const writers = [1, 2, 3, 4].map(() =>
      spawn(process.execPath, ['--input-type=module', '--eval', script, '--', path], { stdio: 'inherit' }),
    );
    const exits = await Promise.all(writers.map((writer) => once(writer, 'exit')));
    assert.deepEqual(
      exits.map(([status]) => status as unknown),
      [0, 0, 0, 0],
    );
    const expected = writers.flatMap(({ pid }) => Array.from({ length: 10 }, (_, n) => `/${pid ?? 0}/${n}`));
    assert.deepEqual((await settingsFile(path).read()).trustedFolders.sort(), expected.sort());
    assert.deepEqual(await readdir(folder), ['settings.json']);
  });

  it('takes over the lock of a process that was killed, all waiting writers included', async () => {
    await writeFile(`${path}.lock`, 'somebody');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, longAgo, longAgo);
    const names = ['/a', '/b', '/c', '/d'];
    await Promise.all(
      names.map((name) =>
        settingsFile(path).update((now) => ({ ...now, trustedFolders: [...now.trustedFolders, name] })),
      ),
    );
    assert.deepEqual((await settingsFile(path).read()).trustedFolders.sort(), names);
    assert.deepEqual(await readdir(folder), ['settings.json']);
  });
});
