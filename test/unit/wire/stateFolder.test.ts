import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openRuntimeFolder,
  openStateFolder,
  stateFolderPath,
  writePrivateFile,
} from '../../../daemon/wire/stateFolder.ts';

describe('stateFolderPath', () => {
  const cases: { title: string; environment: Record<string, string>; platform: NodeJS.Platform; path: string }[] = [
    {
      title: 'REGISTRAR_HOME wins',
      environment: { REGISTRAR_HOME: '/srv/r/', XDG_STATE_HOME: '/x' },
      platform: 'linux',
      path: '/srv/r',
    },
    {
      title: 'XDG_STATE_HOME counts on Linux',
      environment: { XDG_STATE_HOME: '/x' },
      platform: 'linux',
      path: '/x/project-registrar',
    },
    {
      title: 'a relative XDG_STATE_HOME and an empty REGISTRAR_HOME are ignored',
      environment: { REGISTRAR_HOME: '', XDG_STATE_HOME: 'x' },
      platform: 'linux',
      path: '/home/a/.local/state/project-registrar',
    },
    {
      title: 'macOS has its own place',
      environment: { XDG_STATE_HOME: '/x' },
      platform: 'darwin',
      path: '/home/a/Library/Application Support/Project Registrar',
    },
  ];
  for (const { title, environment, platform, path } of cases) {
    it(title, () => {
      assert.equal(stateFolderPath(environment, platform, '/home/a'), path);
    });
  }

  it('follows LOCALAPPDATA on Windows, or guesses it from the home folder', () => {
    const local = { LOCALAPPDATA: 'D:\\Local' };
    assert.equal(stateFolderPath(local, 'win32', 'C:\\Users\\a'), 'D:\\Local\\Project Registrar');
    assert.equal(stateFolderPath({}, 'win32', 'C:\\Users\\a'), 'C:\\Users\\a\\AppData\\Local\\Project Registrar');
  });

  it('refuses a relative REGISTRAR_HOME, which would be another folder in every directory', () => {
    assert.throws(() => stateFolderPath({ REGISTRAR_HOME: 'state' }, 'linux', '/home/a'), {
      code: 'INVALID_ARGUMENT',
      message: 'REGISTRAR_HOME is not an absolute path: state',
    });
  });
});

describe('the state folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-state-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is made with the folders above it, by several at once', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => openStateFolder(path)));
    assert.equal((await stat(path)).isDirectory(), true);
  });

  it('L4: that cannot be made is refused at once, whatever mkdir says', async () => {
    await writeFile(join(folder, 'file'), '');
    const paths = [join(folder, 'file'), join(folder, 'file', 'x')];
    // There mkdir says ENOENT beside a folder that is there.
    if (process.platform === 'linux') paths.push('/proc/registrar-state', '/proc/registrar-state/x');
    for (const path of paths) {
      await assert.rejects(openStateFolder(path), { code: 'INVALID_ARGUMENT' }, path);
    }
  });

  it('is made with all folders above it, for this user alone', async () => {
    const path = join(folder, 'a', 'b');
    await openStateFolder(path);
    assert.equal(await modeOf(path), 0o700);
    assert.equal(await modeOf(join(folder, 'a')), 0o700);
  });

  it('that others may enter is closed to them', async () => {
    await chmod(folder, 0o755);
    await openStateFolder(folder);
    assert.equal(await modeOf(folder), 0o700);
  });

  it('is refused when others may write into it, since they may have', async () => {
    for (const mode of [0o770, 0o777, 0o720, 0o1777]) {
      await chmod(folder, mode);
      await assert.rejects(openStateFolder(folder), {
        code: 'INVALID_ARGUMENT',
        message: /^Others may write to/,
        hint: /chmod 700/,
      });
      assert.equal(await modeOf(folder), mode);
    }
  });

  it('that its owner may not write is opened again', async () => {
    await chmod(folder, 0o500);
    await openStateFolder(folder);
    assert.equal(await modeOf(folder), 0o700);
  });

  it('may be reached through a link of its owner', async () => {
    await mkdir(join(folder, 'real'), { mode: 0o755 });
    await symlink(join(folder, 'real'), join(folder, 'link'));
    await openStateFolder(join(folder, 'link'));
    assert.equal(await modeOf(join(folder, 'real')), 0o700);
  });

  it('is refused when a file is in the way', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'mine');
    await assert.rejects(openStateFolder(path), { code: 'INVALID_ARGUMENT', hint: /REGISTRAR_HOME/ });
    await assert.rejects(openStateFolder(join(path, 'below')), { code: 'INVALID_ARGUMENT' });
    assert.equal(await readFile(path, 'utf8'), 'mine');
  });

  it('is refused when it belongs to somebody else, even for root', async function () {
    if (process.getuid?.() !== 0) {
      // An ordinary user cannot give a folder away, but root's own are at hand.
      await assert.rejects(openStateFolder('/'), {
        code: 'INVALID_ARGUMENT',
        message: /belongs to user 0, not to you/,
      });
      return;
    }
    await chmod(folder, 0o755);
    await chown(folder, 12_345, 12_345);
    await assert.rejects(openStateFolder(folder), {
      code: 'INVALID_ARGUMENT',
      message: /belongs to user 12345, not to you \(user 0\)/,
    });
    assert.equal(await modeOf(folder), 0o755);
  });

  describe('that is only for the socket (I11)', () => {
    it('is made, and closed to others when it is this user’s own', async () => {
      const path = join(folder, 'made');
      await openRuntimeFolder(path);
      assert.equal(await modeOf(path), 0o700);
      await chmod(path, 0o755);
      await openRuntimeFolder(path);
      assert.equal(await modeOf(path), 0o700);
    });

    it('is refused when a link stands there, wherever it leads', async () => {
      await mkdir(join(folder, 'real'), { mode: 0o755 });
      for (const [name, target] of [
        ['own', join(folder, 'real')],
        ['nowhere', join(folder, 'none')],
        ['root', '/'],
      ] as const) {
        await symlink(target, join(folder, name));
        await assert.rejects(openRuntimeFolder(join(folder, name)), {
          code: 'INVALID_ARGUMENT',
          message: /^The folder .* for the daemon's socket is a link to somewhere else/,
          hint: /REGISTRAR_HOME to a folder with a shorter path/,
        });
      }
      assert.equal(await modeOf(join(folder, 'real')), 0o755);
    });

    it('is refused when others may write into it, or it is no folder', async () => {
      for (const mode of [0o777, 0o1777, 0o720]) {
        await chmod(folder, mode);
        await assert.rejects(openRuntimeFolder(folder), { message: /^Others may write to the folder .* socket/ });
        assert.equal(await modeOf(folder), mode);
      }
      await chmod(folder, 0o700);
      await writeFile(join(folder, 'file'), 'mine');
      await assert.rejects(openRuntimeFolder(join(folder, 'file')), { message: /socket is not a folder/ });
    });

    it('is refused when another user made it before', async function () {
      if (process.getuid?.() !== 0) {
        await assert.rejects(openRuntimeFolder('/usr'), { message: /socket belongs to user 0, not to you/ });
        return;
      }
      await chown(folder, 12_345, 12_345);
      await assert.rejects(openRuntimeFolder(folder), {
        code: 'INVALID_ARGUMENT',
        message: /socket belongs to user 12345, not to you \(user 0\)/,
        hint: /shorter path/,
      });
      assert.equal((await stat(folder)).uid, 12_345);
    });
  });

  it('keeps files that only their owner can read, and no leftovers of a write', async () => {
    const path = join(folder, 'secret');
    await writeFile(path, 'old', { mode: 0o644 });
    await writePrivateFile(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal(await modeOf(path), 0o600);
    assert.deepEqual(await readdir(folder), ['secret']);
  });

  it('keeps the old file when the new one cannot take its place', async () => {
    const path = join(folder, 'taken');
    await mkdir(join(path, 'full'), { recursive: true });
    await assert.rejects(writePrivateFile(path, 'new'));
    assert.deepEqual(await readdir(path), ['full']);
    assert.deepEqual(await readdir(folder), ['taken']);
  });
});

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}
