import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { DaemonFixture, type CommandResult } from './daemonFixture.ts';

const execute = promisify(execFile);

describe('the address that the daemon serves', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  const roles: string[] = [];
  before(() => fixture.open());
  after(async () => {
    await fixture.close();
    for (const role of roles)
      await sql(await fixture.address(), `drop owned by ${role}; drop role ${role}`, 'postgres');
  });

  const codeOf = ({ json }: CommandResult): unknown => (json?.['error'] as { code?: string } | undefined)?.code;
  const nameOf = ({ json }: CommandResult): unknown =>
    (json?.['project'] as { name?: string } | null | undefined)?.name;

  async function sql(url: string, text: string, database?: string): Promise<Record<string, unknown>[]> {
    const address = new URL(url);
    if (database !== undefined) address.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: address.href });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** A role that may do everything, and the parts of its address. */
  async function login(): Promise<{ url: string; name: string; password: string; host: string; port: string }> {
    const url = new URL(await fixture.address());
    const name = `addresses_${process.pid}_${roles.length}`;
    const password = `s3cr:t\\${name}`;
    roles.push(name);
    await sql(url.href, `create role ${name} superuser login password ${pg.escapeLiteral(password)}`, 'postgres');
    url.username = name;
    url.password = '';
    return { url: url.href, name, password, host: url.hostname, port: url.port || '5432' };
  }

  const refuseInserts = `
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '53100', message = 'No space left on device'; end $$;
    create trigger refuse before insert on projects for each row execute function refuse()`;

  it('keeps what waits for a registry while another is served, and delivers it when the first one is again', async () => {
    const home = await fixture.home('waiting');
    const [first, second] = [await login(), await login()];
    const environment = { PGPASSWORD: first.password };
    const other = { PGPASSWORD: second.password };
    await fixture.run(home, ['postgres', first.url], environment);
    await fixture.run(home, ['projects', 'list'], environment);
    await sql(withPassword(first), refuseInserts);
    const directory = await fixture.workspace('waiting');
    const made = await fixture.run(home, ['resolve', '--directory', directory], environment);
    assert.equal((made.json?.['sync'] as { state?: string } | null)?.state, 'pending', made.stdout);

    const changed = await fixture.run(home, ['postgres', second.url], other);
    const [left] = changed.json?.['leftBehind'] as { name: string; pending: boolean }[];
    assert.deepEqual([left?.name, left?.pending], ['waiting', true]);
    const elsewhere = await fixture.run(home, ['sync'], other);
    assert.deepEqual([elsewhere.json?.['pending'], elsewhere.json?.['delivered']], [[], 0]);
    assert.deepEqual((await fixture.run(home, ['projects', 'list'], other)).json, { projects: [] });
    assert.equal((await readdir(join(home, 'outbox'))).length, 1);

    await sql(withPassword(first), 'drop trigger refuse on projects');
    const back = await fixture.run(home, ['postgres', first.url], environment);
    assert.deepEqual(back.json?.['leftBehind'], []);
    assert.equal((await fixture.run(home, ['sync'], environment)).status, 0);
    assert.deepEqual(await sql(withPassword(first), 'select name from projects'), [{ name: 'waiting' }]);
    assert.deepEqual(await readdir(join(home, 'outbox')), []);
    await fixture.run(home, ['stop']);
  });

  it('shows the address that is served and the one that is chosen, when they differ', async () => {
    const home = await fixture.home('shown');
    const [served, chosen] = [await login(), await login()];
    const environment = { REGISTRAR_DATABASE_URL: served.url, PGPASSWORD: served.password };
    await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'url', url: chosen.url } }));
    await fixture.run(home, ['serve'], environment);
    await fixture.run(home, ['sync'], environment);
    const shown = await fixture.run(home, ['postgres', 'show']);
    assert.deepEqual(shown.json, {
      chosen: 'url',
      address: chosen.url,
      daemon: { address: `${served.host}:${served.port}`, source: 'environment' },
    });
    await fixture.run(home, ['stop']);
    assert.equal((await fixture.run(home, ['postgres', 'show'])).json?.['daemon'], null);
  });

  describe('E1: logging in', () => {
    it('takes the password that a later terminal brings', async () => {
      const home = await fixture.home('later');
      const { url, password } = await login();
      await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'url', url } }));
      const refused = await fixture.run(home, ['sync']);
      const listed = await fixture.run(home, ['projects', 'list']);
      assert.equal(codeOf(listed), 'CREDENTIALS_REQUIRED', refused.stdout);
      assert.equal(listed.status, 3);
      assert.equal((await fixture.run(home, ['projects', 'list'], { PGPASSWORD: password })).status, 0);
      assert.equal((await fixture.run(home, ['projects', 'list'])).status, 0);
      await fixture.run(home, ['stop']);
    });

    it('reads the password file as it is now, and the one that a later terminal names', async () => {
      const { url, name, password, host, port } = await login();
      const line = [host, port, '*', name, password.replaceAll(/[\\:]/g, String.raw`\$&`)].join(':');
      const home = await fixture.home('pgpass');
      await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'url', url } }));
      assert.equal(codeOf(await fixture.run(home, ['projects', 'list'])), 'CREDENTIALS_REQUIRED');
      await writeFile(join(home, '.pgpass'), `${line}\n`, { mode: 0o600 });
      assert.equal((await fixture.run(home, ['projects', 'list'])).status, 0);
      await rm(join(home, '.pgpass'));
      await fixture.run(home, ['stop']);

      assert.equal(codeOf(await fixture.run(home, ['projects', 'list'])), 'CREDENTIALS_REQUIRED');
      const elsewhere = join(home, 'elsewhere');
      await writeFile(elsewhere, `${line}\n`, { mode: 0o600 });
      assert.equal((await fixture.run(home, ['projects', 'list'], { PGPASSFILE: elsewhere })).status, 0);
      assert.equal((await fixture.run(home, ['projects', 'list'])).status, 0);
      await fixture.run(home, ['stop']);
    });

    it('follows PGSERVICE, also when only a later terminal knows its file', async () => {
      const { url, name, password, host, port } = await login();
      const registry = new URL(url).pathname.slice(1);
      const home = await fixture.home('service');
      const file = join(home, 'services');
      await writeFile(file, `[team]\nhost=${host}\nport=${port}\nuser=${name}\npassword=${password}\ndbname=app\n`);
      await chmod(file, 0o600);
      const environment = { REGISTRAR_DATABASE_URL: `postgresql:///${registry}`, PGSERVICE: 'team' };
      assert.equal(codeOf(await fixture.run(home, ['projects', 'list'], environment)), 'INVALID_ARGUMENT');
      const known = { ...environment, PGSERVICEFILE: file };
      assert.equal((await fixture.run(home, ['projects', 'list'], known)).status, 0);
      const directory = await fixture.workspace('served');
      assert.equal(nameOf(await fixture.run(home, ['resolve', '--directory', directory], known)), 'served');
      assert.deepEqual(await sql(withPassword({ url, password }), 'select name from projects'), [{ name: 'served' }]);
      await fixture.run(home, ['stop']);
    });

    it('leaves a password in no argument list, log, error or file', async () => {
      const { url, password } = await login();
      const home = await fixture.home('secret');
      const directory = await fixture.workspace('secret');
      await fixture.run(home, ['serve']);
      const answers = [
        await fixture.run(home, ['postgres', url], {}, '1.0.0', `${password}\n`),
        await fixture.run(home, ['resolve', '--directory', directory]),
        await fixture.run(home, ['status']),
        await fixture.run(home, ['postgres', 'show']),
        await fixture.run(home, ['projects', 'list'], { REGISTRAR_DATABASE_URL: withPassword({ url, password }) }),
        await fixture.run(home, ['projects', 'list'], { REGISTRAR_DATABASE_URL: 'postgresql://a:s3cr:t@db.invalid/x' }),
        await fixture.run(home, ['postgres', 'postgresql://a:s3cr:t@db.invalid']),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [0, 0, 0, 0, 0, 1, 2],
        answers.map(({ stdout }) => stdout).join('\n'),
      );
      for (const { stdout, stderr } of answers) assert.doesNotMatch(stdout + stderr, /s3cr/);
      assert.doesNotMatch(await commandLine(await fixture.pid(home)), /s3cr/);
      for (const text of await allFiles(home)) assert.doesNotMatch(text, /s3cr/);
      await fixture.run(home, ['stop']);
    });
  });

  it('moves what stayed behind by the lines that it prints', async function () {
    const home = await fixture.home('moving');
    const from = await login();
    const directory = await fixture.workspace('moved');
    const environment = { PGPASSWORD: from.password };
    await fixture.run(home, ['postgres', from.url], environment);
    const made = await fixture.run(home, ['env', '--directory', directory], environment);
    const before = String(made.json?.['DATABASE_URL']);
    await sql(before, `create table t (word text); insert into t values ('kept')`);
    const reason = whyNoOwnServer() ?? (await whyNotDumped(before));
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    const target = await OwnServer.start();
    try {
      const to = new URL(target.url);
      const secret = decodeURIComponent(to.password);
      to.password = '';
      to.pathname = '/another_registry';
      const changed = await fixture.run(home, ['postgres', to.href], { PGPASSWORD: secret });
      assert.equal(changed.status, 0, changed.stdout);
      const [left] = changed.json?.['leftBehind'] as { databaseName: string; command: string }[];
      assert.match(left?.command ?? '', /^pg_dump .* \| psql .* && psql /);
      const passwords = join(home, 'passwords');
      const lines = [
        [from.port, from.name, from.password],
        [to.port, to.username, secret],
      ].map((fields) =>
        ['*', fields[0], '*', ...fields.slice(1)]
          .map((field) => field?.replaceAll(/[\\:]/g, String.raw`\$&`))
          .join(':'),
      );
      await writeFile(passwords, `${lines.join('\n')}\n`, { mode: 0o600 });
      await execute('sh', ['-c', left?.command ?? ''], { env: { PATH: process.env['PATH'], PGPASSFILE: passwords } });
      const adopted = await fixture.run(home, ['projects', 'adopt', left?.databaseName ?? '']);
      assert.equal(nameOf(adopted), 'moved', adopted.stdout);
      const found = await fixture.run(home, ['env', '--directory', directory]);
      const after = String(found.json?.['DATABASE_URL']);
      assert.equal(new URL(after).port, to.port);
      assert.deepEqual(await sql(after, 'select word from t'), [{ word: 'kept' }]);
      await fixture.run(home, ['stop']);
    } finally {
      await target.close();
    }
  });

  it('moves a project to another registry of the same server without copying it', async function () {
    const home = await fixture.home('beside');
    const [from, to] = [await login(), await login()];
    const directory = await fixture.workspace('beside');
    const environment = { PGPASSWORD: from.password };
    await fixture.run(home, ['postgres', from.url], environment);
    await fixture.run(home, ['resolve', '--directory', directory], environment);
    const changed = await fixture.run(home, ['postgres', to.url], { PGPASSWORD: to.password });
    const [left] = changed.json?.['leftBehind'] as { databaseName: string; command: string }[];
    assert.match(left?.command ?? '', /^psql [^ ]* --command 'comment on database "cb_proj_beside_/);
    const statement = /--command '(.*)'$/.exec((left?.command ?? '').replaceAll(String.raw`'\''`, "'"))?.[1] ?? '';
    await sql(withPassword(to), statement, 'postgres');
    assert.equal(nameOf(await fixture.run(home, ['projects', 'adopt', left?.databaseName ?? ''])), 'beside');
    await fixture.run(home, ['stop']);
  });

  function withPassword({ url, password }: { url: string; password: string }): string {
    const address = new URL(url);
    address.password = encodeURIComponent(password);
    return address.href;
  }

  /** pg_dump refuses servers that are newer than itself. */
  async function whyNotDumped(url: string): Promise<string | null> {
    const [row] = await sql(url, `select current_setting('server_version_num')::int / 10000 as major`);
    const { stdout } = await execute('pg_dump', ['--version']).catch(() => ({ stdout: '' }));
    const own = Number(/\d+/.exec(stdout)?.[0] ?? 0);
    return own >= Number(row?.['major']) ? null : 'not run: no pg_dump for this server';
  }

  async function commandLine(pid: number): Promise<string> {
    if (process.platform !== 'linux') return (await execute('ps', ['-o', 'args=', '-p', String(pid)])).stdout;
    return readFile(`/proc/${pid}/cmdline`, 'utf8');
  }

  async function allFiles(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.length > 3);
    return Promise.all(files.map((file) => readFile(file, 'utf8')));
  }
});
