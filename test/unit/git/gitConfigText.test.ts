import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { originUrl, parseGitConfig } from '../../../daemon/git/gitConfigText.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();

/** What git itself reads in a config file: `key\nvalue\0`, or `key\0` for one without a value; null where it refuses. */
function asGitReads(file: string): string[] | null {
  try {
    const args = ['config', '--file', file, '--list', '--null'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\0')
      .slice(0, -1);
  } catch {
    return null;
  }
}

function asWeRead(text: string): string[] | null {
  const entries = parseGitConfig(text);
  if (entries === null) return null;
  return entries.map(({ section, subsection, key, value }) => {
    const name = [section, subsection, key].filter((part) => part !== null && part !== '').join('.');
    return value === null ? name : `${name}\n${value}`;
  });
}

describe('H3: a git config file', () => {
  const texts = [
    '',
    '\ufeff[core]\n\tbare = false\n',
    '[core]\r\n\tbare\r\n\teditor = "vi" # mine\r\n',
    '[Remote "a \\"b\\" \\\\ ]"] ; comment\n  URL = "one" # comment\n\turl=two;comment\n\turl = th\\\n  ree',
    '[remote.Old] url = four\n[remote "Kept"] url = "fi;ve" ; six',
    '[a] x = "q\\t\\n\\b\\"" y\n[a "b"]x=  in  ner  \n',
    '[url "git@host:"]\n\tinsteadOf = https://host/',
    '[a]\nb = \\q\n',
    '[a\n',
    '[a "b" ]\nx=1',
    '[a "b"\n',
    '[a]\n1x = 2\n',
    '[a]\nx y = 2\n',
    '[a]\nx = "open\n',
    'x = 1\n',
    '[a]\n# x = \\\ny = 2\n',
    '[a];c\n;d\n\n\n[b]',
    '[-.-]\nk-1=v',
  ];
  for (const text of texts) {
    it(`is read as git reads it: ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(asWeRead(text), asGitReads(await put(scratch.path('config'), text)));
    });
  }

  it('never makes the parser fail, and is never read where git refuses it', async () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '"',
      '\\',
      '\n',
      ' ',
      '\t',
      '=',
      '#',
      ';',
      'a',
      'B',
      '1',
      '.',
      '-',
      'remote',
      'url',
    );
    const file = scratch.path('random');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = `[a]\n${pieces.join('')}`;
        const there = asGitReads(await put(file, text));
        if (there === null) assert.equal(asWeRead(text), null);
      }),
      { numRuns: 60 },
    );
  });

  it('of four megabytes is read or refused, and nothing is thrown', () => {
    for (const unit of ['"', '[', '\\\n', ' ', '#', '[a "', 'x', '\n', '[a "\\a']) {
      const text = unit.repeat(Math.ceil(4_194_304 / unit.length));
      assert.doesNotThrow(() => parseGitConfig(text));
      assert.doesNotThrow(() => parseGitConfig(`[a "${text}`));
      assert.doesNotThrow(() => parseGitConfig(`[a]\nb = ${text}`));
    }
  });
});

describe('I3: the remote that counts', () => {
  const remote = (name: string, ...urls: string[]): string =>
    `[remote "${name}"]\n${urls.map((url) => `\turl = ${url}\n`).join('')}\tfetch = x\n`;
  const cases: [what: string, config: string, url: string | null][] = [
    ['is the one named origin, whatever others there are', remote('upstream', 'up') + remote('origin', 'own'), 'own'],
    ['is the only one, whatever its name', remote('github', 'own'), 'own'],
    ['is none of several without an origin', remote('upstream', 'up') + remote('template', 't'), null],
    ['is none without remotes', '[core]\n\tbare = false\n', null],
    ['has its first address', remote('origin', 'first', 'second') + remote('origin', 'third'), 'first'],
    ['has no address from pushurl', '[remote "origin"]\n\tpushurl = p\n', null],
    ['begins again after an empty address', remote('origin', 'template', '', 'own'), 'own'],
    ['is the other one where origin has no address', '[remote "origin"]\n\tprune = true\n' + remote('x', 'own'), 'own'],
    ['keeps the case of its name', remote('Origin', 'a') + remote('other', 'b'), null],
    ['is none of a section without a name', '[remote]\n\turl = x\n', null],
  ];
  for (const [what, config, url] of cases) {
    it(what, () => {
      assert.equal(originUrl(parseGitConfig(config) ?? []), url);
    });
  }

  it('is read from the file that git wrote', async () => {
    const folder = scratch.path('written');
    execFileSync('git', ['init', '--quiet', folder]);
    const url = 'https://host.example/a "b"#;\\c';
    execFileSync('git', ['-C', folder, 'remote', 'add', 'origin', url]);
    assert.equal(originUrl(parseGitConfig(await readFile(join(folder, '.git', 'config'), 'utf8')) ?? []), url);
  });
});
