import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addressEnvironment,
  addressKey,
  addressLabel,
  addressUrl,
  parseAddress,
} from '../../../../daemon/postgres/address/address.ts';
import type { PostgresAddress } from '../../../../daemon/postgres/address/address.ts';
import type { AddressSurroundings } from '../../../../daemon/postgres/address/addressSources.ts';
import {
  hasPassword,
  parseConnectionString,
  withoutPassword,
} from '../../../../daemon/postgres/address/connectionString.ts';
import { libpqParameters } from '../../../../daemon/postgres/address/libpqParameters.ts';
import { matchPassword } from '../../../../daemon/postgres/address/pgpass.ts';
import { libpqVariables } from '../../../../daemon/protocol/libpqVariables.ts';
import { RegistrarError } from '../../../../daemon/protocol/registrarError.ts';

function machine(files: Record<string, string> = {}, platform: NodeJS.Platform = 'linux'): AddressSurroundings {
  return {
    platform,
    userName: 'ada',
    homeFolder: '/home/ada',
    readText: (path) => files[path] ?? null,
    exists: (path) => path in files,
  };
}

function parse(
  url: string,
  environment: Record<string, string> = {},
  files: Record<string, string> = {},
): PostgresAddress {
  return parseAddress(url, environment, machine(files));
}

function refusal(work: () => unknown): RegistrarError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof RegistrarError, String(error));
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.notEqual(error.hint, '');
    return error;
  }
  return assert.fail('nothing was refused');
}

describe('E1: a PostgreSQL address', () => {
  it('takes every part of a URL', () => {
    const address = parse(
      'postgresql://us%40er:p%2Fw%3A@db.acme:6432/registry?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem' +
        '&sslkey=/k.pem&sslpassword=phrase&sslcrl=/crl.pem&ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.3' +
        '&target_session_attrs=primary&connect_timeout=3&application_name=my%20app&options=-c%20geqo%3Doff' +
        '&channel_binding=require&keepalives=0&keepalives_idle=30&passfile=/pass',
    );
    assert.deepEqual(address.hosts, [{ host: 'db.acme', port: 6432 }]);
    assert.equal(address.user, 'us@er');
    assert.equal(address.password, 'p/w:');
    assert.equal(address.registryDatabase, 'registry');
    assert.deepEqual(address.ssl, {
      sslmode: 'verify-ca',
      sslnegotiation: 'postgres',
      sslrootcert: '/ca.pem',
      sslcert: '/c.pem',
      sslkey: '/k.pem',
      sslpassword: 'phrase',
      sslcrl: '/crl.pem',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      defaultsFolder: '/home/ada/.postgresql',
    });
    assert.equal(address.targetSessionAttrs, 'primary');
    assert.equal(address.connectTimeoutMs, 3000);
    assert.equal(address.applicationName, 'my app');
    assert.equal(address.options, '-c geqo=off');
    assert.equal(address.channelBinding, 'require');
    assert.equal(address.keepAlive, false);
    assert.equal(address.keepAliveIdleMs, 30_000);
    assert.equal(address.passfile, '/pass');
  });

  it('uses the defaults of libpq for a bare URL', () => {
    const address = parse('postgres://');
    assert.deepEqual(address.hosts, [{ host: 'localhost', port: 5432 }]);
    assert.equal(address.user, 'ada');
    assert.equal(address.password, null);
    assert.equal(address.passfile, '/home/ada/.pgpass');
    assert.equal(address.ssl.sslmode, 'prefer');
    assert.equal(address.targetSessionAttrs, 'any');
    assert.equal(address.connectTimeoutMs, null);
    assert.equal(address.keepAlive, true);
    assert.deepEqual(address.parameters, {});
  });

  const hostCases: [string, PostgresAddress['hosts'], string][] = [
    [
      'postgres://a,b:6000/',
      [
        { host: 'a', port: 5432 },
        { host: 'b', port: 6000 },
      ],
      'a:5432,b:6000',
    ],
    [
      'postgres://[::1]:6000,[fe80::1]/x',
      [
        { host: '::1', port: 6000 },
        { host: 'fe80::1', port: 5432 },
      ],
      '[::1]:6000,[fe80::1]:5432',
    ],
    ['postgres://%2Frun%2Fpostgresql/x', [{ host: '/run/postgresql', port: 5432 }], '/run/postgresql:5432'],
    ['postgres:///x?host=/run/pg&port=6000', [{ host: '/run/pg', port: 6000 }], '/run/pg:6000'],
    [
      'postgres://?host=a,b,c&port=1,,3',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 5432 },
        { host: 'c', port: 3 },
      ],
      'a:1,b:5432,c:3',
    ],
    [
      'postgres://?host=a,b&port=7',
      [
        { host: 'a', port: 7 },
        { host: 'b', port: 7 },
      ],
      'a:7,b:7',
    ],
    ['postgres://db?hostaddr=10.0.0.1', [{ host: 'db', port: 5432, hostaddr: '10.0.0.1' }], 'db:5432'],
    ['postgres://?hostaddr=10.0.0.1', [{ host: '10.0.0.1', port: 5432, hostaddr: '10.0.0.1' }], '10.0.0.1:5432'],
    ["host=a port=6000 dbname='my db'", [{ host: 'a', port: 6000 }], 'a:6000'],
  ];
  for (const [url, hosts, label] of hostCases) {
    it(`reads the hosts of ${url} and labels them ${label}`, () => {
      const address = parse(url);
      assert.deepEqual(address.hosts, hosts);
      assert.equal(addressLabel(address), label);
    });
  }

  it('without a host uses the socket folder that is there', () => {
    assert.equal(parse('postgres://', {}, { '/var/run/postgresql': '' }).hosts[0]?.host, '/var/run/postgresql');
    assert.equal(parse('postgres://:77', {}, { '/tmp/.s.PGSQL.77': '' }).hosts[0]?.host, '/tmp');
    assert.equal(parse('postgres://:77', {}, { '/tmp/.s.PGSQL.78': '' }).hosts[0]?.host, 'localhost');
    const windows = parseAddress('postgres://', {}, machine({ '/var/run/postgresql': '' }, 'win32'));
    assert.equal(windows.hosts[0]?.host, 'localhost');
  });

  for (const name of ['', '/', '/postgres', '/template1']) {
    it(`takes ${name === '' ? 'no path' : name} to mean the registry codebase_mcp_registry`, () => {
      assert.equal(parse(`postgres://h${name}`).registryDatabase, 'codebase_mcp_registry');
    });
  }

  it("refuses a project's database, a template and a name that PostgreSQL would cut, as registries", () => {
    assert.match(refusal(() => parse('postgres://h/cb_proj_shop_1f2e3d4c')).message, /cb_proj_shop_1f2e3d4c/);
    refusal(() => parse('postgres://h/template0'));
    refusal(() => parse(`postgres://h/${'é'.repeat(32)}`));
    assert.equal(parse(`postgres://h/${'e'.repeat(63)}`).registryDatabase.length, 63);
  });

  it('fills what the URL leaves open from PG… variables, but never the database', () => {
    const environment = {
      PGHOST: 'envhost',
      PGPORT: '6000',
      PGUSER: 'envuser',
      PGPASSWORD: 'envpass',
      PGSSLMODE: 'require',
      PGAPPNAME: 'envapp',
      PGDATABASE: 'cb_proj_shop_1f2e3d4c',
      PGTARGETSESSIONATTRS: '',
    };
    const open = parse('postgres://', environment);
    assert.equal(addressLabel(open), 'envhost:6000');
    assert.equal(open.user, 'envuser');
    assert.equal(open.password, 'envpass');
    assert.equal(open.ssl.sslmode, 'require');
    assert.equal(open.applicationName, 'envapp');
    assert.equal(open.registryDatabase, 'codebase_mcp_registry');
    const closed = parse('postgres://u:p@h:1/r?sslmode=disable&application_name=a', environment);
    assert.equal(addressLabel(closed), 'h:1');
    assert.deepEqual(
      [closed.user, closed.password, closed.ssl.sslmode, closed.applicationName],
      ['u', 'p', 'disable', 'a'],
    );
    assert.equal(parse('postgres://h', { PGREQUIRESSL: '1' }).ssl.sslmode, 'require');
  });

  it('does not dial a PGHOSTADDR under the host of a URL', () => {
    assert.deepEqual(parse('postgres://h', { PGHOSTADDR: '10.0.0.9' }).hosts, [{ host: 'h', port: 5432 }]);
    assert.equal(parse('postgres://', { PGHOSTADDR: '10.0.0.9' }).hosts[0]?.hostaddr, '10.0.0.9');
  });

  it('reads the service that the string or PGSERVICE names, below the string and above the variables', () => {
    const files = {
      '/home/ada/.pg_service.conf':
        '# mine\n[other]\nhost=wrong\n\n[shop]\nhost=db.shop\nport=6000\nuser=serviceuser\ndbname=shopdb\nhost=again\n[last]\nnonsense',
    };
    for (const text of ['service=shop', 'postgres://?service=shop', "service='shop'"]) {
      const address = parse(text, { PGUSER: 'envuser', PGPORT: '1' }, files);
      assert.equal(addressLabel(address), 'db.shop:6000');
      assert.equal(address.user, 'serviceuser');
      assert.equal(address.registryDatabase, 'shopdb');
    }
    const named = parse('postgres://me@', { PGSERVICE: 'shop' }, files);
    assert.deepEqual([addressLabel(named), named.user], ['db.shop:6000', 'me']);
    assert.equal(named.registryDatabase, 'codebase_mcp_registry');
  });

  it('looks for a service in PGSERVICEFILE and then in the system folder', () => {
    const files = { '/mine': '[a]\nhost=mine', '/etc/x/pg_service.conf': '[a]\nhost=system\n[b]\nhost=system' };
    const environment = { PGSERVICEFILE: '/mine', PGSYSCONFDIR: '/etc/x' };
    assert.equal(addressLabel(parse('service=a', environment, files)), 'mine:5432');
    assert.equal(addressLabel(parse('service=b', environment, files)), 'system:5432');
    assert.match(refusal(() => parse('service=c', environment, files)).message, /"c" is not defined in \/mine or/);
    const bad = { '/mine': '[a]\nhost=x\npasswrod=secret' };
    const error = refusal(() => parse('service=a', environment, bad));
    assert.match(error.message, /line 3 of .*\/mine/);
    assert.doesNotMatch(JSON.stringify(error.toReport()), /secret/);
  });

  const refused: [string, RegExp][] = [
    ['', /empty/],
    ['mysql://h/x', /neither a PostgreSQL URL nor keywords/],
    ['localhost:5432', /neither a PostgreSQL URL nor keywords/],
    ['postgres://h:70000', /port/],
    ['postgres://h:0', /port/],
    ['postgres://h:54x', /host or port/],
    ['postgres://[::1', /host or port/],
    ['postgres://?host=a,b&port=1,2,3', /as many ports as hosts/],
    ['postgres://?host=a,b&hostaddr=1.1.1.1', /different lengths/],
    ['host=@abstract', /holds an @/],
    ['postgres://h/%zz', /% that is not followed/],
    ['postgres://h/a%00b', /NUL/],
    ['postgres://h?sslmode', /name=value/],
    ['postgres://h?sslmode=a=b', /name=value/],
    ['postgres://h?pool_size=3', /unknown parameter "pool_size"/],
    ['postgres://h?uselibpqcompat=false', /unknown parameter "uselibpqcompat"/],
    ['postgres://h?sslmode=strict', /sslmode, given by the PostgreSQL address, has an unknown value/],
    ['postgres://h?connect_timeout=soon', /connect_timeout.*not a whole number/],
    ['postgres://h?sslrootcert=system&sslmode=require', /too weak/],
    ['postgres://h?sslnegotiation=direct', /too weak/],
    ['postgres://h?client_encoding=LATIN1', /client_encoding.*UTF-8/],
    ['postgres://h?replication=database', /replication/],
    ['host=h nonsense=1', /unknown parameter "nonsense"/],
    ["host='h", /neither/],
  ];
  for (const [url, message] of refused) {
    it(`refuses "${url}" and says why`, () => {
      assert.match(refusal(() => parse(url)).message, message);
    });
  }

  it('never silently ignores a parameter of libpq: what it does not honour it refuses by name, also from a variable', () => {
    for (const [name, { accepts, environment }] of Object.entries(libpqParameters)) {
      if (!accepts) continue;
      assert.match(refusal(() => parse(`postgres://h?${name}=banana`)).message, new RegExp(`^${name}, given by`));
      if (environment !== undefined) {
        assert.match(
          refusal(() => parse('postgres://h', { [environment]: 'banana' })).message,
          new RegExp(environment),
        );
      }
      for (const value of accepts) parse(`postgres://h?${name}=${value}`);
    }
  });

  it('accepts the two spellings of other drivers that mean what libpq means', () => {
    assert.equal(parse('postgres://h?ssl=true').ssl.sslmode, 'require');
    assert.equal(parse('postgres://h?uselibpqcompat=true&sslmode=require').ssl.sslmode, 'require');
    assert.deepEqual(parse('postgres://h?uselibpqcompat=true').parameters, {});
    assert.equal(parse('postgres://h?sslrootcert=system').ssl.sslmode, 'verify-full');
  });
});

describe('E1: a password', () => {
  const awkward = fc
    .array(
      fc.constantFrom(
        'Secret',
        'hunter2',
        '@',
        '/',
        ':',
        '?',
        '#',
        '&',
        '=',
        ',',
        '[',
        ']',
        '%',
        ' ',
        "'",
        '\\',
        'port',
        '::1',
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .map((parts) => parts.join(''));

  it('that is not encoded is never repeated by an error, a label or a key, whatever it is taken for', () => {
    fc.assert(
      fc.property(awkward, fc.constantFrom('', '/db', '/db?sslmode=require', '?nosuch=1'), (password, tail) => {
        const secrets = ['Secret', 'hunter2'].filter((word) => password.includes(word));
        for (const text of [`postgres://user:${password}@host${tail}`, `host=h password=${password}`]) {
          let shown: string;
          let address: PostgresAddress | null = null;
          try {
            address = parse(text);
            shown = addressLabel(address) + addressKey(address);
          } catch (error) {
            assert.ok(error instanceof RegistrarError, String(error));
            shown = JSON.stringify(error.toReport()) + error.message + (error.stack ?? '');
          }
          // Where libpq's own grammar takes `Secret@Secret` apart as password and host, the host is an honest host.
          const asHost = address !== null && /@.*(?:Secret|hunter2)/.test(password);
          if (!asHost) for (const secret of secrets) assert.ok(!shown.includes(secret), shown);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that is encoded survives the way into a URL and back', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0')),
        (password) => {
          const address = parse(`postgres://u:${encodeURIComponent(password)}@h/r`);
          assert.equal(address.password, password);
          assert.equal(parse(addressUrl(address, 'r', { withPassword: true })).password, password);
          assert.equal(parse(addressUrl(address, 'r', { withPassword: false })).password, null);
        },
      ),
    );
  });

  const cases: [string, string][] = [
    ['postgres://u:p@h/db', 'postgres://u@h/db'],
    ['postgres://:p@h/db', 'postgres://@h/db'],
    ['postgresql://u@h:1,[::1]:2/db?sslmode=require', 'postgresql://u@h:1,[::1]:2/db?sslmode=require'],
    ['postgres://h/db?password=p&user=u', 'postgres://h/db?user=u'],
    ['postgres://h/db?pass%77ord=p', 'postgres://h/db'],
    ['postgres://u:p@h?sslpassword=x&sslkey=k', 'postgres://u@h?sslkey=k'],
    ["host=h password='a b' dbname='c d'", "host=h dbname='c d'"],
  ];
  for (const [url, without] of cases) {
    it(`is taken out of ${url}`, () => {
      assert.equal(hasPassword(url), url !== without);
      assert.equal(withoutPassword(url), without);
      assert.equal(hasPassword(without), false);
      const rest = parseConnectionString(url);
      for (const name of ['password', 'sslpassword']) rest.delete(name);
      assert.deepEqual(parseConnectionString(without), rest);
    });
  }
});

describe('an address, handed on', () => {
  const url =
    'postgresql://us%40er:p%2Fw@db%2Eacme:6432,[::1],%2Frun%2Fpg/registry?sslmode=require&application_name=a%20b&sslpassword=x';

  it('is a URL for another database that reads back as the same servers and settings', () => {
    const address = parse(url);
    const there = parse(addressUrl(address, 'proj db', { withPassword: true }));
    assert.deepEqual({ ...there, registryDatabase: 'registry' }, address);
    assert.equal(there.registryDatabase, 'proj db');
    assert.doesNotMatch(addressUrl(address, 'x', { withPassword: false }), /p%2Fw|sslpassword/);
  });

  it('is a set of variables that name the one host that answered, and nothing that clients read in different ways', () => {
    const address = parse(url);
    assert.deepEqual(addressEnvironment(address, 'shop'), {
      PGHOST: 'db.acme',
      PGPORT: '6432',
      PGUSER: 'us@er',
      PGPASSWORD: 'p/w',
      PGDATABASE: 'shop',
      PGSSLMODE: 'require',
      DATABASE_URL: 'postgresql://us%40er:p%2Fw@db.acme:6432/shop?sslmode=require',
    });
    const [, second, third] = address.hosts;
    assert.equal(
      addressEnvironment(address, 'shop', second)['DATABASE_URL'],
      'postgresql://us%40er:p%2Fw@[::1]:5432/shop?sslmode=require',
    );
    const socket = addressEnvironment(address, 'shop', third);
    assert.deepEqual(
      [socket['PGHOST'], socket['PGPORT'], socket['DATABASE_URL']],
      ['/run/pg', '5432', 'postgresql://us%40er:p%2Fw@localhost:5432/shop?host=%2Frun%2Fpg&sslmode=require'],
    );
    assert.equal('PGPASSWORD' in addressEnvironment(parse('postgres://h'), 'shop'), false);
  });

  it('gives the number that was dialled where the name would have to be looked up, unless a certificate is for the name', () => {
    const numbered = 'postgres://db.acme?hostaddr=10.0.0.7';
    assert.equal(addressEnvironment(parse(numbered), 'x')['PGHOST'], '10.0.0.7');
    const checked = addressEnvironment(parse(`${numbered}&sslmode=verify-full&sslrootcert=/ca.crt`), 'x');
    assert.equal(checked['PGHOST'], 'db.acme');
    assert.equal(checked['PGSSLROOTCERT'], '/ca.crt');
    assert.match(checked['DATABASE_URL'] ?? '', /@db\.acme:5432\/x\?sslmode=verify-full&sslrootcert=%2Fca\.crt$/);
    assert.equal('PGHOSTADDR' in checked, false);
  });

  it('has a URL that any shell and any file carries, and that names the same again when it is read', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !value.includes('\0'));
    // A project's, or an adopted one's.
    const database = fc.constantFrom('cb_proj_shop_1f2e3d4d', "it's 50% off: $5 & ~more");
    const hosts = fc.constantFrom('db.acme', '::1', '/run/my~pg', '10.0.0.1');
    fc.assert(
      fc.property(text, text, database, hosts, (user, password, name, host) => {
        const address = { ...parse('postgres://h'), user, password, hosts: [{ host, port: 6432 }] };
        const given = addressEnvironment(address, name)['DATABASE_URL'] ?? '';
        assert.match(given, /^[\w%.:@/?=&[\]-]+$/);
        const { username, password: secret, pathname, port, searchParams } = new URL(given);
        assert.deepEqual([username, secret, pathname.slice(1)].map(decodeURIComponent), [user, password, name]);
        assert.deepEqual([port, searchParams.get('host')], ['6432', host.startsWith('/') ? host : null]);
        const registry = parse(given.replace(/\/cb_proj_\w+/, '/r'));
        assert.deepEqual([registry.hosts, registry.user, registry.password], [[{ host, port: 6432 }], user, password]);
      }),
    );
  });

  it('sets no variable that is not also in the list of those to remove first', () => {
    for (const name of Object.keys(addressEnvironment(parse(url), 'shop'))) {
      assert.ok(name === 'DATABASE_URL' || libpqVariables.includes(name), name);
    }
    for (const { environment } of Object.values(libpqParameters)) {
      assert.ok(environment === undefined || libpqVariables.includes(environment), environment);
    }
    assert.equal(new Set(libpqVariables).size, libpqVariables.length);
  });

  it('has a key that does not depend on user, password and TLS, and does on server and registry', () => {
    const key = addressKey(parse('postgres://u:p@DB.acme/r?sslmode=require'));
    assert.equal(key, addressKey(parse('postgres://other@db.acme:5432/r')));
    assert.notEqual(key, addressKey(parse('postgres://db.acme:5433/r')));
    assert.notEqual(key, addressKey(parse('postgres://db.acme/r2')));
  });
});

describe('a password file', () => {
  const match = (text: string, host = 'db', port = 5432, database = 'app', user = 'ada'): string | null =>
    matchPassword(text, [host], port, database, user);

  it('gives the password of the first line that matches', () => {
    assert.equal(match('# db:5432:app:ada:no\nother:*:*:*:no\ndb:5432:app:ada:first\n*:*:*:*:second'), 'first');
    assert.equal(match('other:*:*:*:no\r\n*:*:*:*:second\r\n'), 'second');
    assert.equal(match('db:5433:app:ada:no\ndb:5432:app2:ada:no\ndb:5432:app:eve:no'), null);
  });

  it('reads escaped colons and backslashes, and IPv6 addresses with them', () => {
    assert.equal(match('\\:\\:1:5432:app:ada:p\\:a\\\\b', '::1'), 'p:a\\b');
    assert.equal(match('db:5432:a\\:b:ada:x', 'db', 5432, 'a:b'), 'x');
    assert.equal(match('\\*:5432:app:ada:x'), null);
  });

  it('skips lines without a password', () => {
    assert.equal(match('db:5432:app:ada:\ndb:5432:app:ada\nnonsense\n::::x\ndb:5432:app:ada:y'), 'y');
  });
});
