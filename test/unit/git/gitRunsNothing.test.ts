import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { findConfig } from '../../../daemon/config/findConfig.ts';
import { gitEvidence } from '../../../daemon/git/gitEvidence.ts';
import { gitTracking } from '../../../daemon/git/gitCheckout.ts';
import { tokenExposure } from '../../../daemon/connect/tokenExposure.ts';
import { git, gitEnvironment, newRepository } from './gitFixture.ts';
import { put, putConfig, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();

describe('I6: what a repository makes git run', () => {
  const marks = (): string => scratch.path('marks');
  const path = process.env['PATH'] ?? '';

  /** A program that leaves a mark with its name, and fails. */
  async function program(file: string): Promise<string> {
    const name = file.split('/').at(-1) ?? '';
    await put(file, `#!/bin/sh\n: > '${marks()}/${name}'\nexit 1\n`);
    await chmod(file, 0o755);
    return file;
  }

  before(async () => {
    await mkdir(marks());
    for (const name of ['git', 'ssh', 'jj', 'hg', 'sl', 'less', 'editor']) await program(scratch.path('bin', name));
  });

  afterEach(async () => {
    process.env['PATH'] = path;
    await rm(marks(), { recursive: true });
    await mkdir(marks());
  });

  /** A repository whose configuration, hooks and attributes name programs wherever git has a place for one. */
  async function trapped(name: string): Promise<string> {
    const top = newRepository(scratch.path(name), 'ssh://host.example/acme/shop');
    await putConfig(top);
    await put(join(top, '.gitattributes'), '* filter=trap diff=trap merge=trap\n');
    await put(join(top, '.gitignore'), '/ignored\n');
    git(top, 'add', '.');
    git(top, 'commit', '--quiet', '-m', 'x');
    await trap(join(top, '.git'), name);
    return top;
  }

  async function trap(gitDir: string, name: string): Promise<void> {
    const run = (what: string): Promise<string> => program(scratch.path('traps', name, what));
    for (const hook of ['post-checkout', 'post-index-change', 'fsmonitor-watchman', 'reference-transaction']) {
      await program(join(gitDir, 'hooks', hook));
    }
    const settings: [string, string][] = [
      ['core.fsmonitor', await run('fsmonitor')],
      ['core.sshCommand', await run('sshCommand')],
      ['core.gitProxy', await run('gitProxy')],
      ['core.pager', await run('pager')],
      ['core.editor', await run('coreEditor')],
      ['core.askPass', await run('askPass')],
      ['core.hooksPath', join(gitDir, 'hooks')],
      ['credential.helper', await run('credential')],
      ['gpg.program', await run('gpg')],
      ['diff.external', await run('external')],
      ['diff.trap.textconv', await run('textconv')],
      ['filter.trap.clean', await run('clean')],
      ['filter.trap.smudge', await run('smudge')],
      ['filter.trap.process', await run('process')],
      ['merge.trap.driver', await run('driver')],
      ['alias.ls-files', `!${await run('alias')}`],
      ['uploadpack.packObjectsHook', await run('packObjects')],
      ['remote.origin.uploadpack', await run('uploadpack')],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.partialclonefilter', 'blob:none'],
      ['extensions.partialClone', 'origin'],
      ['include.path', scratch.path('traps', name, 'included')],
      ['includeIf.gitdir:/**.path', scratch.path('traps', name, 'included')],
    ];
    await put(scratch.path('traps', name, 'included'), `[core]\n\tfsmonitor = ${await run('includedFsmonitor')}\n`);
    for (const [key, value] of settings) git(gitDir, 'config', '--file', join(gitDir, 'config'), key, value);
  }

  /** Everything that the product asks of git's files, with our own programs first on the PATH. */
  async function askEverything(folder: string): Promise<void> {
    process.env['PATH'] = `${scratch.path('bin')}${delimiter}${path}`;
    await findConfig(folder, { home: '/nowhere' });
    await gitEvidence(folder);
    for (const file of [join(folder, '.codebase-mcp', 'config.json'), join(folder, 'ignored'), join(folder, 'new')]) {
      await gitTracking(file);
      await tokenExposure(file);
    }
  }

  it('is run by git itself: the traps work', async () => {
    const top = await trapped('proof');
    try {
      execFileSync('git', ['ls-files', '--error-unmatch', '.gitignore'], {
        cwd: top,
        env: gitEnvironment,
        stdio: 'ignore',
      });
    } catch {
      // The trap is a program that fails.
    }
    assert.deepEqual(await readdir(marks()), ['includedFsmonitor']);
  });

  it('is not run in a repository, nor is git, ssh or any other program on the PATH', async () => {
    await askEverything(await trapped('repository'));
    assert.deepEqual(await readdir(marks()), []);
  });

  it('is not run in a linked worktree or a partial clone whose blobs are missing', async () => {
    const top = newRepository(scratch.path('partial'));
    await putConfig(top);
    git(top, 'add', '.');
    git(top, 'commit', '--quiet', '-m', 'x');
    git(top, 'worktree', 'add', '--quiet', scratch.path('partialTree'));
    await rm(join(top, '.git', 'objects'), { recursive: true });
    await mkdir(join(top, '.git', 'objects'));
    await trap(join(top, '.git'), 'partial');
    await askEverything(scratch.path('partialTree'));
    await askEverything(top);
    assert.deepEqual(await readdir(marks()), []);
  });

  it('is not run by a bare repository of committed files below, even as .codebase-mcp', async () => {
    const top = newRepository(scratch.path('outer'));
    for (const name of ['vendor', '.codebase-mcp']) {
      git(join(top, name), 'init', '--quiet', '--bare');
      await trap(join(top, name), `bare-${name}`);
      await writeFile(join(top, name, 'config.json'), '{"version":"1.0","project":{"name":"shop"}}');
    }
    await askEverything(join(top, 'vendor'));
    await askEverything(join(top, '.codebase-mcp'));
    await askEverything(top);
    assert.deepEqual(await readdir(marks()), []);
  });
});
