import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import manifest from '../../../package.json' with { type: 'json' };
import { codeBlocks, markdownFiles, readDocument, repository } from '../../support/documents.ts';
import { DaemonFixture } from './daemonFixture.ts';

/**
 * What a page tells people to type that this test cannot run as it stands. `instead` is run in its place; `shownBy` is
 * the npm script, or the file, that runs what the line does.
 */
const elsewhere: Record<string, { instead: string; shownBy: string }> = {
  'npm ci && npm start -- path/to/workspace': {
    instead: 'registrar start ~/workspace --once',
    shownBy: '.github/workflows/ci.yml',
  },
  'npm ci && npm start -- --once': { instead: 'registrar start --once', shownBy: '.github/workflows/ci.yml' },
  'npm ci && npm test': { instead: '', shownBy: '.ci/run' },
  'npm ci && npm run package': { instead: '', shownBy: 'test:package' },
  'code --install-extension project-registrar-*.vsix': { instead: '', shownBy: 'test:extension' },
  'registrar postgres postgresql://ann@db.example/team_registry --save-password': {
    instead: 'registrar postgres show',
    shownBy: 'test/postgres/daemon/addresses.test.ts',
  },
  'registrar postgres postgresql://me@localhost --save-password': {
    instead: 'registrar postgres show',
    shownBy: 'test/postgres/daemon/addresses.test.ts',
  },
};

/** The folders that the pages speak of as the reader's own. */
const workspaces = ['workspace', 'shop', 'orders', 'payments', 'catalog', 'ledger', 'legacy', 'library'];
/** Those that have a config file already. */
const configured = ['workspace', 'legacy', 'library'];

/** When the machine stalls, the daemon rightly takes its server for silent, and a reader would ask again. */
const patientReader = `registrar() {
  local shown status
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    shown=$(command registrar "$@")
    status=$?
    case "$status $shown" in 3*|*"last known"*) ;; *) break ;; esac
  done
  printf '%s\\n' "$shown"
  return $status
}`;

describe('what the documentation tells people to type', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  let environment: Record<string, string>;
  const used = new Set<string>();

  before(async function () {
    if (process.platform === 'win32') {
      console.log('      not run: the pages show a POSIX shell');
      this.skip();
    }
    await fixture.open();
    const home = join(fixture.folder, 'reader');
    const bin = join(home, 'bin');
    const address = await fixture.address();
    await makeWorkspaces(home);
    await makePrograms(bin, fixture.script());
    environment = {
      ...fixture.environment(join(home, '.local/state/project-registrar')),
      HOME: home,
      PATH: [bin, process.env['PATH']].join(':'),
      REGISTRAR_DATABASE_URL: address,
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...Object.fromEntries(
        ['AUTHOR', 'COMMITTER'].flatMap((who) => [
          [`GIT_${who}_NAME`, 'Ann'],
          [`GIT_${who}_EMAIL`, 'ann@example.com'],
        ]),
      ),
    };
    await bash('registrar start --once');
    await makeLegacyProject(address);
  });
  after(() => fixture.close());

  for (const page of markdownFiles().filter(isForUsers)) {
    it(`works as ${page} says`, async () => {
      const blocks = codeBlocks(readDocument(page));
      const steps = blocks.flatMap(({ language, text, line }, index) => {
        const next = blocks[index + 1];
        return language === 'sh' ? [{ line, text, expected: next?.language === 'text' ? next.text : '' }] : [];
      });
      const script = steps.map(({ text }) => `${runnable(text)}\necho "@@ $?"`).join('\n');
      const outputs = (await bash(script)).split(/^@@ (\d+)\n/m);
      for (const [index, { line, expected }] of steps.entries()) {
        const [output = '', status] = outputs.slice(2 * index);
        const where = `${page}:${line}\n${output}`;
        assert.equal(status, isRefusal(expected) ? '1' : '0', where);
        assertShows(output, expected, where);
      }
    });
  }

  it('leaves out nothing that is not written down here', () => {
    assert.deepEqual([...used].sort(), Object.keys(elsewhere).sort());
    for (const { shownBy } of Object.values(elsewhere)) {
      assert.ok(shownBy in manifest.scripts || existsSync(join(repository, shownBy)), shownBy);
    }
  });

  function runnable(block: string): string {
    const lines = block.trimEnd().split('\n');
    const known = lines.map((line) => {
      const other = elsewhere[line];
      if (other) used.add(line);
      return other ? other.instead : line;
    });
    // As one command, whose first failure is its status.
    return `run() {\n${known
      .filter((line) => line !== '')
      .map((line) => `${line} || return`)
      .join('\n')}\n:\n}\nrun 2>&1`;
  }

  async function bash(script: string): Promise<string> {
    const child = spawn('bash', ['-c', `${patientReader}\ncd\n${script}`], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    return output;
  }
});

function isForUsers(file: string): boolean {
  return file.endsWith('README.md') || (file.startsWith('docs/') && !file.startsWith('docs/reference/'));
}

function isRefusal(expected: string): boolean {
  return /^[A-Z_]+: /m.test(expected);
}

/** Each expected line stands somewhere in the output, of which the two streams may be mixed; `…` stands for anything. */
function assertShows(output: string, expected: string, where: string): void {
  for (const line of expected.split('\n').filter((text) => text !== '')) {
    const pattern = line.split('…').map(escaped).join('.*');
    assert.match(output, new RegExp(`^${pattern}$`, 'm'), where);
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Repositories. */
async function makeWorkspaces(home: string): Promise<void> {
  for (const name of workspaces) {
    const folder = join(home, name);
    const config = join(folder, '.codebase-mcp', 'config.json');
    await mkdir(dirname(config), { recursive: true });
    if (configured.includes(name)) await writeFile(config, configOf(name));
    execFileSync('git', ['init', '--quiet'], { cwd: folder });
    const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
    execFileSync('git', [...identity, 'commit', '--quiet', '--allow-empty', '-m', 'Begin'], { cwd: folder });
  }
}

function configOf(name: string): string {
  return `${JSON.stringify({ version: '1.0', project: { name } })}\n`;
}

/** The command, and in npm’s place, which would take most of the time, a migration that only wants its variables. */
async function makePrograms(bin: string, script: string): Promise<void> {
  const programs = {
    registrar: `exec "${process.execPath}" "${script}" "$@"`,
    npm: 'test "$*" = "run migrate" && case "$DATABASE_URL" in *"/$PGDATABASE") ;; *) exit 1 ;; esac',
  };
  await mkdir(bin);
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}

/** A project as codebase-mcp leaves it: a row, and a database without a mark. */
async function makeLegacyProject(address: string): Promise<void> {
  const name = 'cb_proj_legacy_1f2e3d4c';
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.query(`insert into projects (id, name, database_name) values ($1, 'legacy', $2)`, [
    '1f2e3d4c-0000-4000-8000-000000000001',
    name,
  ]);
  await client.end();
}
