import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lchown, mkdir, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigReader } from '../../../daemon/config/configCache.ts';
import { promptLooks, waitingLooks } from '../../../daemon/files/fileLooks.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { asOrdinaryUser, put, putConfig, scratchFolder } from './scratchFolder.ts';

const noDelay = (): Promise<void> => Promise.resolve();
const configText = (name: string): string => JSON.stringify({ version: '1.0', project: { name } });

async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    assert.ok(error instanceof RegistrarError, String(error));
    return error.code;
  }
  return 'none';
}

for (const [how, looks] of Object.entries({ 'by other threads': waitingLooks, 'at once': promptLooks }))
  describe(`the config reader, looking ${how}`, () => {
    const scratch = scratchFolder();

    it('R5: sees an edit that leaves time and size as they were', async () => {
      const path = await putConfig(scratch.path('tick'), 'aaaa');
      const reader = new ConfigReader();
      const { atime, mtime } = await stat(path);
      assert.equal((await reader.read(path, { looks })).name, 'aaaa');
      await writeFile(path, configText('bbbb'));
      await utimes(path, atime, mtime);
      assert.equal((await stat(path)).mtimeMs, mtime.getTime());
      assert.equal((await reader.read(path, { looks })).name, 'bbbb');
    });

    it('keeps one entry a file, and does not wait for a file that parses', async () => {
      const path = await put(scratch.path('once', '.codebase-mcp', 'config.json'), '{');
      let delays = 0;
      const reader = new ConfigReader({ delay: () => Promise.resolve(++delays) });
      await writeFile(path, configText('once'));
      assert.deepEqual(await reader.read(path, { looks }), await reader.read(path, { looks }));
      assert.equal(reader.size, 1);
      assert.equal(delays, 0);
    });

    it('R5: reads a half-written file again, and takes a file that stays broken at its word', async () => {
      const path = await put(scratch.path('half', '.codebase-mcp', 'config.json'), configText('whole').slice(0, 20));
      const delays: number[] = [];
      const reader = new ConfigReader({
        delay: async (ms) => {
          delays.push(ms);
          if (delays.length === 1) await writeFile(path, configText('whole'));
        },
      });
      assert.equal((await reader.read(path, { looks })).name, 'whole');
      await truncate(path, 20);
      assert.equal(await codeOf(reader.read(path, { looks })), 'CONFIG_INVALID');
      assert.equal(delays.length, 2);
      assert.ok(Math.max(...delays) <= 50);
      await writeFile(path, configText('mended'));
      assert.equal((await reader.read(path, { looks })).name, 'mended');
    });

    it('R13: keeps and tells nothing of a file that nobody vouches for, also when it is broken', async () => {
      const folder = scratch.path('foreign');
      const path = await put(join(folder, '.codebase-mcp', 'config.json'), configText('whole'));
      const reader = new ConfigReader({ delay: () => assert.fail('it looked again') });
      const asked: unknown[] = [];
      const vouch = (file: unknown): Promise<void> => {
        asked.push(file);
        return Promise.reject(new RegistrarError({ code: 'CONFIG_NOT_TRUSTED', message: 'no', hint: 'no' }));
      };
      for (const text of [configText('whole'), '{ "secret"']) {
        await writeFile(path, text);
        assert.equal(await codeOf(reader.read(path, { looks, vouch })), 'CONFIG_NOT_TRUSTED');
      }
      const { uid } = await stat(path);
      assert.deepEqual(asked, [
        { folder, uid },
        { folder, uid },
      ]);
      assert.equal(reader.size, 0);
    });

    it('R5: says that a file is gone instead of what it said', async () => {
      const path = await putConfig(scratch.path('gone'));
      const reader = new ConfigReader();
      await reader.read(path, { looks });
      await rm(path);
      assert.equal(await codeOf(reader.read(path, { looks })), 'CONFIG_CHANGED');
      await rm(dirname(path), { recursive: true });
      assert.equal(await codeOf(reader.read(path, { looks })), 'CONFIG_CHANGED');
    });

    it('R8: refuses 10 MB by their size', async () => {
      const path = await put(scratch.path('big', '.codebase-mcp', 'config.json'), '{');
      await truncate(path, 10_000_000);
      await assert.rejects(new ConfigReader({ delay: noDelay }).read(path, { looks }), /10000000 bytes/);
    });

    it('R2: does not wait for a pipe, read a folder, or guess what it may not read', async () => {
      const reader = new ConfigReader({ delay: noDelay });
      const folder = scratch.path('odd', '.codebase-mcp');
      await mkdir(join(folder, 'folder'), { recursive: true });
      assert.equal(await codeOf(reader.read(join(folder, 'folder'), { looks })), 'CONFIG_UNREADABLE');
      await symlink('loop', join(folder, 'loop'));
      assert.equal(await codeOf(reader.read(join(folder, 'loop'), { looks })), 'CONFIG_UNREADABLE');
      const path = await putConfig(scratch.path('odd'));
      await chmod(path, 0o000);
      assert.equal(await codeOf(asOrdinaryUser(() => reader.read(path, { looks }))), 'CONFIG_UNREADABLE');
      if (process.platform === 'win32') return;
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      assert.equal(await codeOf(reader.read(join(folder, 'pipe'), { looks })), 'CONFIG_UNREADABLE');
    });

    it('keeps a bounded number of files, those used last', async () => {
      const reader = new ConfigReader({ maxEntries: 2 });
      for (const name of ['a', 'b', 'c', 'd'])
        await reader.read(await putConfig(scratch.path('many', name), name), { looks });
      assert.equal(reader.size, 2);
    });

    it("R13: says whose the file is, and names a stranger who linked to this user's file", async function () {
      const self = process.getuid?.();
      if (self === undefined) this.skip();
      const reader = new ConfigReader();
      const path = await putConfig(scratch.path('own'));
      assert.equal((await reader.read(path, { looks })).uid, self);
      const linked = scratch.path('linked', '.codebase-mcp', 'config.json');
      await mkdir(dirname(linked), { recursive: true });
      await symlink(path, linked);
      assert.equal((await reader.read(linked, { looks })).uid, self);
      // Only root can give a link away.
      if (self !== 0) return;
      await lchown(linked, 65534, 65534);
      assert.equal((await reader.read(linked, { looks })).uid, 65534);
      await lchown(linked, 0, 0);
      await lchown(dirname(linked), 65534, 65534);
      assert.equal((await reader.read(linked, { looks })).uid, 65534);
    });
  });
