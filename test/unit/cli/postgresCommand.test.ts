import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { CliContext } from '../../../daemon/cli/cliContext.ts';
import { postgresNotChosen } from '../../../daemon/cli/postgresNotChosen.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, path, settings } from './fakeCli.ts';

const url = 'postgresql://a@localhost:5432';

/** A server that wants the password `right`. */
function wanting(tries: (string | null)[], sqlState = '28P01'): Partial<CliContext> {
  return {
    tryPostgres: async (_url, password) => {
      tries.push(password);
      if (password === 'right') {
        return { version: '15.3', role: 'a', mayCreateDatabases: true, registry: 'codebase_mcp_registry' };
      }
      const details = { sqlState };
      throw new RegistrarError({ code: 'CREDENTIALS_REQUIRED', message: 'It asks.', hint: 'Give it.', details });
    },
  };
}

describe('registrar postgres', () => {
  it('shows what is chosen, and the choices when nothing is', async () => {
    const none = await cli(['postgres']);
    assert.equal(none.status, 0);
    assert.match(none.stdout, /^No PostgreSQL is chosen\.\nnext: .*registrar postgres bundled.*REGISTRAR_DATABASE_URL/);
    const chosen = { chosen: 'environment', address: 'db:5432', daemon: null } as const;
    assert.equal((await cli(['postgres', 'show'], { chosen })).stdout, 'REGISTRAR_DATABASE_URL chooses db:5432.\n');
    assert.deepEqual(JSON.parse((await cli(['postgres', '--json'], { chosen })).stdout), chosen);
    assert.deepEqual(path(none), []);
  });

  it('shows what the daemon serves, and what to do when another is chosen here', async () => {
    const url = { chosen: 'url', address: 'postgresql://a@db:5432' } as const;
    const same = { ...url, daemon: { address: 'db:5432', source: 'file' } } as const;
    assert.equal(
      (await cli(['postgres'], { chosen: same })).stdout,
      'Your PostgreSQL at postgresql://a@db:5432 is chosen.\nThe daemon serves db:5432 (chosen).\n',
    );
    const other = { ...url, daemon: { address: 'other:5432', source: 'environment' } } as const;
    assert.match(
      (await cli(['postgres'], { chosen: other })).stdout,
      /\nThe daemon serves other:5432 \(from the environment\)\.\n {2}warning: .*\n {2}the next .*: registrar stop\n/,
    );
  });

  it('offers the same choices when a command needs one', () => {
    assert.match(postgresNotChosen().hint, /registrar postgres bundled.*REGISTRAR_DATABASE_URL/);
  });

  it('bundled is kept without starting anything', async () => {
    const run = await cli(['postgres', 'bundled']);
    assert.deepEqual(run.settings.postgres, { kind: 'bundled' });
    assert.deepEqual(path(run), ['choosePostgres']);
    assert.equal(run.stdout, 'The bundled PostgreSQL is chosen.\n');
  });

  it('tries an address before it keeps it', async () => {
    const run = await cli(['postgres', url]);
    assert.deepEqual(path(run), ['tryPostgres', 'choosePostgres']);
    assert.deepEqual(run.settings.postgres, { kind: 'url', url });
    assert.match(run.stdout, /^PostgreSQL 15\.3, role a, may create databases, registry codebase_mcp_registry\n/);
  });

  it('keeps nothing when the address does not serve', async () => {
    const error = new RegistrarError({ code: 'REGISTRY_UNREACHABLE', message: 'No answer.', hint: 'Start it.' });
    const run = await cli(['postgres', url], { context: { tryPostgres: () => Promise.reject(error) } });
    assert.equal(run.status, 3);
    assert.equal(run.settings, settings);
  });

  it('says what is missing when the role may not create databases', async () => {
    const tryPostgres = async () => ({ version: '15.3', role: 'a', mayCreateDatabases: false, registry: 'r' });
    const run = await cli(['postgres', url], { context: { tryPostgres } });
    assert.match(run.stdout, /warning: .*\n {2}next: as a superuser: ALTER ROLE "a" CREATEDB;\n/);
    assert.equal(run.status, 0);
  });

  it('says when the environment overrules the choice', async () => {
    const chosen = { chosen: 'environment', address: 'db:5432', daemon: null } as const;
    for (const choice of ['bundled', url]) {
      const run = await cli(['postgres', choice], { chosen });
      assert.match(run.stdout, /warning: .*REGISTRAR_DATABASE_URL overrides it/);
    }
  });

  describe('E1: a password', () => {
    for (const address of [
      'postgresql://a:hunter2@localhost',
      'postgres://a:hun@ter2/hunter2@localhost',
      'postgresql://localhost/db?password=hunter2',
      'postgresql://localhost/db?sslmode=require&pass%77ord=hunter2',
      'postgresql://localhost/db?sslpassword=hunter2',
      'host=localhost password=hunter2',
      "host=localhost password = 'hunter2'",
    ]) {
      it(`in the command line is refused and not repeated: ${address.replaceAll(/hun(ter2)?/g, '…')}`, async () => {
        for (const argv of [
          ['postgres', address],
          ['resolve', '--database-url', address],
        ]) {
          const run = await cli(argv);
          assert.equal(run.status, 2);
          assert.match(run.stderr, /^INVALID_ARGUMENT: .* holds a password\.\n {2}next: Leave the password out/);
          assert.ok(!(run.stdout + run.stderr).includes('hun'), run.stderr);
          assert.deepEqual(run.calls, []);
        }
      });
    }

    for (const address of [
      'postgresql://a@h:5432/db?application_name=a:b@c',
      'postgresql://h1:1,h2:2/db',
      'host=h port=1',
    ]) {
      it(`is not seen where there is none: ${address}`, async () => {
        assert.equal((await cli(['resolve', '--database-url', address])).status, 0);
      });
    }

    it('is read from standard input only when the server wants one, and is not kept unless asked', async () => {
      const unwanted = await cli(['postgres', url], { stdin: 'right\n' });
      assert.deepEqual(unwanted.calls[0], ['tryPostgres', url, null]);
      const tries: (string | null)[] = [];
      const run = await cli(['postgres', url], { stdin: 'right\nignored\n', context: wanting(tries) });
      assert.deepEqual(tries, [null, 'right']);
      assert.equal(run.status, 0);
      assert.deepEqual(run.settings.postgres, { kind: 'url', url });
      assert.match(
        run.stdout,
        /warning: the password was not saved\n {2}next: run the same command with --save-password/,
      );
      assert.ok(!(run.stdout + run.stderr).includes('right'));
    });

    it('goes into the password file with --save-password', async () => {
      const run = await cli(['postgres', url, '--save-password'], { stdin: 'right', context: wanting([]) });
      assert.deepEqual(run.calls, [
        ['savePassword', url, 'right'],
        ['choosePostgres', { kind: 'url', url }, 'right'],
      ]);
      assert.match(run.stdout, /The password is in ~\/\.pgpass\.\n/);
      const json = await cli(['postgres', url, '--save-password', '--json'], { stdin: 'right', context: wanting([]) });
      assert.deepEqual(JSON.parse(json.stdout), {
        chosen: 'url',
        address: 'localhost:5432',
        daemon: null,
        server: { version: '15.3', role: 'a', mayCreateDatabases: true, registry: 'codebase_mcp_registry' },
        passwordFile: '/home/a/.pgpass',
        leftBehind: [],
      });
    });

    it('that is wrong or missing changes nothing', async () => {
      for (const stdin of ['wrong\n', '', '\n']) {
        const run = await cli(['postgres', url, '--save-password'], { stdin, context: wanting([]) });
        assert.equal(run.status, 3);
        assert.deepEqual(run.calls, []);
        assert.ok(!(run.stdout + run.stderr).includes('wrong'));
      }
    });

    it('is not asked for when no password would help', async () => {
      const tries: (string | null)[] = [];
      const run = await cli(['postgres', url], { stdin: 'right\n', context: wanting(tries, '28000') });
      assert.equal(run.status, 3);
      assert.deepEqual(tries, [null]);
    });

    for (const [keys, tried, status] of [
      ['righx\u007ft\r', [null, 'right'], 0],
      ['rig\u0003', [null], 3],
    ] as const) {
      it(`is typed on a terminal without echo, ${status === 0 ? 'and can be corrected' : 'and Ctrl-C gives up'}`, async () => {
        const rawModes: boolean[] = [];
        const stdin = Object.assign(new PassThrough(), {
          isTTY: true,
          setRawMode: (raw: boolean) => {
            rawModes.push(raw);
          },
        });
        stdin.write(keys);
        const tries: (string | null)[] = [];
        const run = await cli(['postgres', url], { terminal: true, context: { ...wanting(tries), stdin } });
        assert.deepEqual(tries, tried);
        assert.equal(run.status, status);
        assert.deepEqual(rawModes, [true, false]);
        assert.match(run.stderr, /^Password: \n/);
        assert.ok(!(run.stdout + run.stderr).includes('rig'));
      });
    }
  });

  it('refuses other words without repeating them, and an address for one command only', async () => {
    const typo = await cli(['postgres', 'hunter2']);
    assert.equal(typo.status, 2);
    assert.ok(!typo.stderr.includes('hunter2'));
    const option = await cli(['postgres', '--database-url', url]);
    assert.equal(option.status, 2);
    assert.match(option.stderr, /next: registrar postgres show\n/);
  });
});
