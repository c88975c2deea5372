import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { errorCodes } from '../../../daemon/protocol/codes.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, daemonStatus, emptySync, path, refused, resolved, shop } from './fakeCli.ts';

const refusal = refused({ code: 'PROJECT_MISMATCH', message: 'Expected "x", but this is "shop".', hint: 'Check.' });

describe('registrar', () => {
  describe('resolve', () => {
    it('asks about the current directory and prints the answer', async () => {
      const run = await cli(['resolve']);
      assert.equal(run.status, 0);
      assert.match(run.stdout, /^shop → cb_proj_shop_1f2e3d4c on localhost:5432 {3}ready, registered\n/);
      assert.equal(run.stderr, 'connecting…\n');
      assert.deepEqual(run.calls, [
        ['open', { databaseUrl: null, bundledUnlessChosen: false, ownDaemon: false }],
        ['resolve', { directory: '/home/a/shop', project: null, expect: null, dryRun: false }],
        ['close'],
      ]);
    });

    it('passes every option on, the directory made absolute, the address to whoever connects', async () => {
      const options = ['--directory', '../x', '--project', 'p', '--expect', 'e', '--dry-run'];
      const run = await cli(['resolve', ...options, '--database-url', 'postgresql://h']);
      assert.deepEqual(run.calls.slice(0, 2), [
        ['open', { databaseUrl: 'postgresql://h', bundledUnlessChosen: false, ownDaemon: false }],
        ['resolve', { directory: '/home/a/x', project: 'p', expect: 'e', dryRun: true }],
      ]);
    });

    it('prints exactly the resolution with --json, wherever that stands, and ends with 1 when refused', async () => {
      for (const argv of [
        ['--json', 'resolve'],
        ['resolve', '--json'],
      ]) {
        const run = await cli(argv, { api: { resolve: async () => refusal } });
        assert.deepEqual(JSON.parse(run.stdout), refusal);
        assert.equal(run.status, 1);
      }
    });

    for (const option of ['--project', '--expect', '--directory', '--database-url']) {
      it(`refuses an empty ${option}, which an unset shell variable leaves`, async () => {
        const run = await cli(['resolve', option, '']);
        assert.equal(run.status, 2);
        assert.match(run.stderr, /^INVALID_ARGUMENT: .*must not be empty/);
        assert.deepEqual(run.calls, []);
      });
    }

    it('colours only for a terminal, and not when NO_COLOR or --no-color says so', async () => {
      const escape = '\u001b[';
      const isColoured = async (argv: string[], environment: Record<string, string>, terminal: boolean) =>
        (await cli(argv, { terminal, context: { environment } })).stdout.includes(escape);
      assert.equal(await isColoured(['resolve'], {}, true), true);
      assert.equal(await isColoured(['resolve'], {}, false), false);
      assert.equal(await isColoured(['resolve'], { NO_COLOR: '1' }, true), false);
      assert.equal(await isColoured(['resolve', '--no-color'], {}, true), false);
      assert.equal(await isColoured(['resolve', '--json'], {}, true), false);
    });
  });

  describe('errors', () => {
    for (const code of errorCodes) {
      const unreachable = [
        ...['DAEMON_UNREACHABLE', 'REGISTRY_UNREACHABLE', 'CREDENTIALS_REQUIRED', 'POSTGRES_NOT_CHOSEN'],
        ...['REGISTRY_BUSY', 'SERVER_FULL', 'DISK_FULL'],
      ];
      const status = code === 'INVALID_ARGUMENT' ? 2 : unreachable.includes(code) ? 3 : 1;
      it(`${code} ends with ${status}, thrown or in a resolution, and closes what was opened`, async () => {
        const error = { code, message: 'It happened.', hint: 'Do this.' };
        const thrown = await cli(['resolve'], { api: { resolve: () => Promise.reject(new RegistrarError(error)) } });
        assert.equal(thrown.status, status);
        assert.equal(thrown.stdout, '');
        assert.equal(thrown.stderr, `connecting…\n${code}: It happened.\n  next: Do this.\n`);
        assert.deepEqual(path(thrown), ['open', 'resolve', 'close']);
        const answered = await cli(['resolve'], { api: { resolve: async () => refused(error) } });
        assert.equal(answered.status, status);
        assert.equal(answered.stdout, `${code}: It happened.\n  next: Do this.\n`);
      });
    }

    it('are the one JSON document with --json, with details', async () => {
      const error = { code: 'POSTGRES_NOT_CHOSEN', message: 'm', hint: 'h', details: { a: 1 } } as const;
      const run = await cli(['resolve', '--json'], {
        context: { open: () => Promise.reject(new RegistrarError(error)) },
      });
      assert.deepEqual(JSON.parse(run.stdout), { error });
      assert.equal(run.status, 3);
    });

    it('that are defects are INTERNAL, without the passwords of addresses in them', async () => {
      const api = { resolve: () => Promise.reject(new TypeError('bad postgresql://u:hunter2@h')) };
      const run = await cli(['resolve'], { api });
      assert.equal(run.status, 1);
      assert.match(run.stderr, /\nINTERNAL: .*bad postgresql:\/\/u:…@h\n {2}next: /);
    });

    const wrong: { argv: string[]; says: RegExp }[] = [
      { argv: ['resolv'], says: /^INVALID_ARGUMENT: unknown command 'resolv'\n {2}next: Did you mean resolve\?\n$/ },
      { argv: ['projects', 'lst'], says: /unknown command 'lst'\n {2}next: Did you mean list\?/ },
      { argv: ['resolve', '--expct', 'x'], says: /unknown option '--expct'\n {2}next: Did you mean --expect\?/ },
      { argv: ['resolve', 'extra'], says: /^INVALID_ARGUMENT: too many arguments.*\n {2}next: registrar --help/ },
      { argv: ['projects', 'show'], says: /^INVALID_ARGUMENT: missing required argument 'project'\n {2}next: / },
    ];
    for (const { argv, says } of wrong) {
      it(`of usage end with 2 and say what would be right: ${argv.join(' ')}`, async () => {
        const run = await cli(argv);
        assert.equal(run.status, 2);
        assert.match(run.stderr, says);
        assert.equal(run.stdout, '');
        const json = await cli([...argv, '--json']);
        assert.equal(json.status, 2);
        const { error } = JSON.parse(json.stdout) as { error: { code: string; hint: string } };
        assert.equal(error.code, 'INVALID_ARGUMENT');
        assert.notEqual(error.hint, '');
        assert.deepEqual(run.calls, []);
      });
    }

    it('of usage: a group without a subcommand prints its help on standard error', async () => {
      for (const argv of [[], ['projects']]) {
        const run = await cli(argv);
        assert.equal(run.status, 2);
        assert.match(run.stderr, /^Usage: registrar/);
        assert.equal(run.stdout, '');
      }
      const { error } = JSON.parse((await cli(['projects', '--json'])).stdout) as { error: { code: string } };
      assert.equal(error.code, 'INVALID_ARGUMENT');
    });

    it('of usage never repeat the password of an address that was given in the wrong place', async () => {
      for (const argv of [
        ['postgresql://u:hunter2@h'],
        ["postgresql://u:' hunter2/@x@h"],
        ['resolve', '--database-ur=postgresql://u:hunter2@h'],
        ['resolve', "--database-ur=host=h password = 'a hunter2'"],
      ]) {
        const run = await cli(argv);
        assert.equal(run.status, 2);
        assert.ok(!(run.stdout + run.stderr).includes('hunter2'), run.stderr);
      }
    });
  });

  it('says its version, and how to use each command, with an example', async () => {
    assert.equal((await cli(['--version'])).stdout, '0.1.0\n');
    const commands = [
      'resolve',
      'use',
      'env',
      'exec',
      'postgres',
      'trust',
      'serve',
      'status',
      'stop',
      'log',
      'sync',
      'start',
      'projects',
    ];
    const subcommands = ['list', 'show', 'create', 'rename', 'adopt', 'forget'].map((name) => ['projects', name]);
    for (const command of [[], ...commands.map((name) => [name]), ...subcommands]) {
      const run = await cli([...command, '--help']);
      assert.equal(run.status, 0);
      assert.match(run.stdout, new RegExp(`Usage: registrar ${command.join(' ')}`));
      assert.match(run.stdout, /Example:\n {2}\$ /);
      assert.equal(run.stderr, '');
      assert.deepEqual(run.calls, []);
    }
  });

  it('survives a reader that stops early', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const run = await cli(['projects', 'list'], { context: { stdout: closed } });
    // The stream reports its error after the write has returned; unhandled, it would end the process.
    await setImmediate();
    assert.equal(closed.errored?.message, 'write EPIPE');
    assert.equal(run.status, 0);
  });

  describe('projects', () => {
    it('list reads all pages and shows them as aligned columns', async () => {
      const pages = new Map([
        [null, { projects: [shop], nextCursor: 'c1' }],
        [
          'c1',
          {
            projects: [{ ...shop, name: 'a longer name', sync: { state: 'pending' as const } }],
            nextCursor: null,
          },
        ],
      ]);
      const api = {
        listProjects: async ({ cursor }: { cursor?: string | null }) => {
          const page = pages.get(cursor ?? null);
          assert.ok(page);
          return page;
        },
      };
      const run = await cli(['projects', 'list'], { api });
      assert.deepEqual(run.stdout.split('\n'), [
        'name           database               state               id        created',
        'shop           cb_proj_shop_1f2e3d4c  registered          1f2e3d4c  2026-11-03',
        'a longer name  cb_proj_shop_1f2e3d4c  not registered yet  1f2e3d4c  2026-11-03',
        '',
      ]);
      assert.deepEqual(path(run), ['open', 'listProjects', 'listProjects', 'close']);
      const json = JSON.parse((await cli(['projects', 'list', '--json'], { api })).stdout) as { projects: unknown[] };
      assert.equal(json.projects.length, 2);
    });

    it('list says how to make the first one, and when a query finds none', async () => {
      const api = { listProjects: async () => ({ projects: [], nextCursor: null }) };
      const none = 'No projects yet.\nnext: registrar projects create NAME --directory .\n';
      assert.equal((await cli(['projects', 'list'], { api })).stdout, none);
      const run = await cli(['projects', 'list', '--query', 'pay'], { api });
      assert.match(run.stdout, /^No project's name contains "pay"\.\n/);
      assert.deepEqual(run.calls[1], ['listProjects', { query: 'pay', cursor: null, limit: 1000 }]);
    });

    it('show prints what is known, and the project itself with --json', async () => {
      const run = await cli(['projects', 'show', 'shop']);
      assert.deepEqual(run.calls[1], ['showProject', { project: 'shop' }]);
      assert.match(run.stdout, /^shop\n {2}database {3}cb_proj_shop_1f2e3d4c\n {2}state {6}registered\n/);
      assert.deepEqual(JSON.parse((await cli(['projects', 'show', 'shop', '--json'])).stdout), shop);
    });

    it('create takes a folder only when one is given', async () => {
      const alone = await cli(['projects', 'create', 'shop']);
      assert.deepEqual(alone.calls[1], ['createProject', { name: 'shop', directory: null, description: null }]);
      assert.match(alone.stdout, /created, registered\n[^]*next: registrar exec --project shop -- /);
      const here = await cli(['projects', 'create', 'shop', '--directory', '.', '--description', 'd']);
      assert.deepEqual(here.calls[1], ['createProject', { name: 'shop', directory: '/home/a/shop', description: 'd' }]);
    });

    it('rename, adopt and use answer with the resolution', async () => {
      const rename = await cli(['projects', 'rename', 'shop', 'web shop']);
      assert.deepEqual(rename.calls[1], ['updateProject', { project: 'shop', name: 'web shop' }]);
      assert.match(rename.stdout, /next: registrar exec --project 'web shop' -- /);
      const adopt = await cli(['projects', 'adopt', 'cb_proj_x_00000000', '--name', 'x']);
      assert.deepEqual(adopt.calls[1], ['adoptDatabase', { database: 'cb_proj_x_00000000', name: 'x' }]);
      const use = await cli(['use', 'shop', '--directory', '/w']);
      assert.deepEqual(use.calls[1], ['useProject', { project: 'shop', directory: '/w' }]);
      for (const { status, stdout } of [rename, adopt, use]) {
        assert.equal(status, 0);
        assert.match(stdout, /^shop → /);
      }
    });

    it('I7: a name that looks like an option is one where a hint writes it', async () => {
      const use = await cli(['use', '--directory', '/w', '--', '--help']);
      assert.deepEqual(use.calls[1], ['useProject', { project: '--help', directory: '/w' }]);
      const rename = await cli(['projects', 'rename', '--', '-x', '--json']);
      assert.deepEqual(rename.calls[1], ['updateProject', { project: '-x', name: '--json' }]);
      assert.match(rename.stdout, /next: registrar exec --project=--json -- /);
      const named = await cli(['resolve', '--project=--help']);
      assert.deepEqual(named.calls[1], [
        'resolve',
        { directory: '/home/a/shop', project: '--help', expect: null, dryRun: false },
      ]);
    });

    it('forget says that the data stays, and what brings the project back', async () => {
      const run = await cli(['projects', 'forget', 'shop']);
      assert.deepEqual(run.calls[1], ['forgetProject', { project: 'shop' }]);
      assert.match(run.stdout, /cb_proj_shop_1f2e3d4c is untouched\.\nnext: registrar projects adopt cb_proj_shop_/);
    });
  });

  describe('start', () => {
    it('takes the bundled PostgreSQL unless one is chosen, and stays until it is stopped', async () => {
      const run = await cli(['start', 'w']);
      assert.equal(run.status, 0);
      assert.deepEqual(run.calls[0], ['open', { databaseUrl: null, bundledUnlessChosen: true, ownDaemon: true }]);
      assert.deepEqual(path(run).slice(1), ['untilStopped', 'resolve', 'syncStatus', 'server', 'close']);
      assert.match(run.stdout, /\nserver: localhost:5432 \(bundled\)\nsync: everything is registered\n/);
      assert.match(run.stdout, /\nRunning until Ctrl-C\.\nStopped\.\n$/);
    });

    it('--once ends after printing, with 0 only when resolved', async () => {
      const run = await cli(['start', 'w', '--once']);
      assert.equal(run.status, 0);
      assert.deepEqual(run.calls[0], ['open', { databaseUrl: null, bundledUnlessChosen: true, ownDaemon: true }]);
      assert.ok(!path(run).includes('untilStopped'));
      const not = await cli(['start', 'w', '--once'], { api: { resolve: async () => refusal } });
      assert.equal(not.status, 1);
    });

    it('without a folder uses a sample and prints where it is', async () => {
      const run = await cli(['start', '--once']);
      const sample = '/home/a/.local/state/project-registrar/sample';
      assert.match(
        run.stdout,
        /^No folder was given; this is a sample: ~\/\.local\/state\/project-registrar\/sample\n/,
      );
      assert.deepEqual(run.calls[1], ['resolve', { directory: sample }]);
    });

    it('--json prints one document on standard output, the rest beside it', async () => {
      const run = await cli(['start', '--json']);
      const server = { address: 'localhost:5432', source: 'bundled' };
      assert.deepEqual(JSON.parse(run.stdout), { server, resolution: resolved, sync: emptySync, mcpUrl: null });
      assert.match(run.stderr, /sample[^]*Running until Ctrl-C/);
    });
  });

  it('start prints where agents reach it, where the command is, and how an agent is connected', async () => {
    const run = await cli(['start', '--once'], { daemon: { status: async () => daemonStatus } });
    assert.match(run.stdout, /agents: http:\S+:4321\/mcp\ncommand: ~\S+registrar\nnext: registrar connect/);
  });

  describe('sync', () => {
    it('sync tries now, prints what is left and ends with 1 when something is', async () => {
      assert.equal((await cli(['sync'])).status, 0);
      const queued = { ...shop, since: new Date().toISOString(), attempts: 1, nextAttemptAt: null };
      const pending = { ...queued, error: { code: '53100', message: 'registry disk full (53100)' } };
      const parked = { ...queued, name: 'pay', error: { code: '23505', message: 'the name "pay" is taken' } };
      const syncNow = async () => ({ ...emptySync, pending: [pending], parked: [parked] });
      const run = await cli(['sync'], { api: { syncNow } });
      assert.equal(run.status, 1);
      assert.deepEqual(run.stdout.replaceAll(/since \d\d:\d\d/g, 'since TIME').split('\n'), [
        'sync: 1 not registered yet, 1 needs you',
        '  shop  cb_proj_shop_1f2e3d4c  not registered yet, since TIME',
        '    warning: registry disk full (53100); saved on this machine',
        '  pay  cb_proj_shop_1f2e3d4c  needs you, since TIME',
        '    warning: the name "pay" is taken',
        '    next: registrar use pay',
        `    or:   registrar projects rename ${shop.id} NAME`,
        '',
      ]);
    });
  });
});
