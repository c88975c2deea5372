import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkoutAround } from '../../../daemon/git/gitCheckout.ts';
import { isIgnored } from '../../../daemon/git/gitIgnored.ts';
import { parseIgnoreRules } from '../../../daemon/git/gitIgnoreRules.ts';
import type { UserFiles } from '../../../daemon/git/userGitConfig.ts';
import { git, gitEnvironment, newRepository } from './gitFixture.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();
const nobody = { home: '/nowhere', env: { GIT_CONFIG_NOSYSTEM: '1' } };

async function ignored(root: string, path: string, user: UserFiles = nobody): Promise<boolean> {
  const checkout = await checkoutAround(root);
  assert.ok(checkout !== null && checkout !== 'unknown');
  return isIgnored(checkout, join(root, path), user);
}

function gitIgnores(root: string, path: string, env: NodeJS.ProcessEnv = {}): boolean {
  const args = ['check-ignore', '--quiet', '--no-index', '--', path];
  return spawnSync('git', args, { cwd: root, env: { ...gitEnvironment, ...env } }).status === 0;
}

describe('I6: what git ignores', () => {
  const rules: [rules: string, paths: string[]][] = [
    ['.cursor\n', ['.cursor/mcp.json', 'deep/.cursor/mcp.json', '.cursorx']],
    ['/.cursor/\n', ['.cursor/mcp.json', 'deep/.cursor/mcp.json', '.cursor']],
    ['mcp.json/\n', ['.cursor/mcp.json', 'mcp.json/a']],
    ['*\n!.cursor\n', ['.cursor/mcp.json', 'a']],
    ['.cursor/*\n!.cursor/mcp.json\n', ['.cursor/mcp.json', '.cursor/a']],
    ['.cursor/\n!.cursor/mcp.json\n', ['.cursor/mcp.json']],
    ['a/**/b\n', ['a/b', 'a/x/b', 'a/x/y/b/c', 'a/bb', 'x/a/b']],
    ['**/b\n', ['b', 'a/b', 'a/b/c', 'ab']],
    ['a/**\n', ['a', 'a/b', 'a/b/c', 'b/a/c']],
    ['a**b/c\n**\\n\n', ['axyb/c', 'a/b/c']],
    ['**\n', ['a', 'a/b']],
    ['[a-c]x\n[!a-c]y\n[]]z\n[a\n', ['ax', 'dx', 'ay', 'dy', ']z', '[a', 'a']],
    ['\\!a\n\\#b\n#c\n \nd \\ \ne  \nf\\\n', ['!a', '#b', '#c', 'd  ', 'd', 'e', 'f', 'f\\']],
    ['\ufeffa\r\nb\r\n', ['a', 'b']],
    ['a?c\né?\n*.json\n', ['abc', 'a/c', 'éx', 'aéc', 'x/.json', 'json']],
    ['/\n//\n/a//b\n!\n!/\n', ['a', 'a/b']],
    ['a/\\*\n', ['a/*', 'a/b']],
    ['A\n', ['a', 'A']],
  ];
  for (const [text, paths] of rules) {
    it(`is what git says: ${JSON.stringify(text)}`, async () => {
      const root = scratch.path('rules');
      await rm(root, { recursive: true, force: true });
      newRepository(root);
      await put(join(root, '.gitignore'), text);
      for (const path of paths) assert.equal(await ignored(root, path), gitIgnores(root, path), path);
    });
  }

  it('is never more than git says, for any rules in three files', async () => {
    const root = newRepository(scratch.path('random'));
    const piece = fc.constantFrom('a', 'b', '*', '**', '/', '?', '[a]', '[!b]', '\\', '.', ' ');
    const line = fc
      .tuple(
        fc.constantFrom('', '', '!', '/'),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        fc.constantFrom('', '/'),
      )
      .map(([start, middle, end]) => start + middle.join('') + end);
    const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n'));
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab', '.a'), { minLength: 1, maxLength: 3 })
      .map((names) => names.join('/'));
    await fc.assert(
      fc.asyncProperty(text, text, text, path, async (top, below, exclude, name) => {
        await rm(join(root, 'a'), { recursive: true, force: true });
        await put(join(root, '.gitignore'), top);
        await put(join(root, 'a', '.gitignore'), below);
        await put(join(root, '.git', 'info', 'exclude'), exclude);
        const [own, gits] = [await ignored(root, `a/${name}`), gitIgnores(root, `a/${name}`)];
        // Rules that nobody writes are left to git, and never ignore here.
        if (/\\\/|\/\/|\*{3}/.test([top, below, exclude].join('\n'))) assert.ok(gits || !own);
        else assert.equal(own, gits);
      }),
      { numRuns: 60 },
    );
  });

  it("is in the user's own file, too, where nothing says that git may use another one", async () => {
    const home = scratch.path('home');
    const top = newRepository(scratch.path('user'));
    const user = { home, env: { GIT_CONFIG_NOSYSTEM: '1' } };
    await put(join(home, '.config', 'git', 'ignore'), 'a\n');
    assert.deepEqual([await ignored(top, 'a', user), await ignored(top, 'b', user)], [true, false]);
    await put(join(home, '.gitconfig'), '[core]\n\texcludesFile = ~/mine\n');
    await put(join(home, 'mine'), 'b\n');
    assert.deepEqual([await ignored(top, 'a', user), await ignored(top, 'b', user)], [false, true]);
    git(top, 'config', 'include.path', 'x');
    assert.equal(await ignored(top, 'b', user), false);
    git(top, 'config', '--unset', 'include.path');
    git(top, 'config', 'core.excludesFile', '');
    assert.equal(await ignored(top, 'b', user), false);
    git(top, 'config', '--unset', 'core.excludesFile');
    await put(join(home, '.gitconfig'), '[core]\n\texcludesFile = ~/mine\n[includeIf "gitdir:/x"]\n\tpath = y\n');
    assert.equal(await ignored(top, 'b', user), false);
  });

  it('is nothing where a file of rules cannot be read', async () => {
    const top = newRepository(scratch.path('unreadable'));
    await put(join(top, '.gitignore'), 'b\n');
    await mkdir(join(top, 'a', '.gitignore'), { recursive: true });
    assert.deepEqual([await ignored(top, 'a/b'), await ignored(top, 'b')], [false, true]);
    await put(scratch.path('rulesElsewhere'), 'b\n');
    await rm(join(top, '.gitignore'));
    await symlink(scratch.path('rulesElsewhere'), join(top, '.gitignore'));
    assert.equal(await ignored(top, 'b'), false);
  });

  it('is found out in no time by rules that are made to take long', () => {
    const rules = parseIgnoreRules(
      `${'*a'.repeat(100)}b\n${'**/a/'.repeat(100)}b\n[[:alpha:]]\n![[:alpha:]]x\n`,
      false,
    );
    assert.equal(rules(Array(100).fill('a'.repeat(200)).join('/'), false), 'kept');
  });
});
