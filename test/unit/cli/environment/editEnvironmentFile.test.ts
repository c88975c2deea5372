import assert from 'node:assert/strict';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { editEnvironmentFile } from '../../../../daemon/cli/environment/editEnvironmentFile.ts';
import { RegistrarError } from '../../../../daemon/protocol/registrarError.ts';

const environment = {
  PGHOST: 'localhost',
  PGPORT: '5433',
  PGUSER: 'ann',
  PGDATABASE: 'cb_proj_shop_1f2e3d4c',
  PGPASSWORD: 'se cret',
  DATABASE_URL: 'postgresql://ann:se%20cret@localhost:5433/cb_proj_shop_1f2e3d4c',
};
const url = environment.DATABASE_URL;

function edit(before: string | null, given: Record<string, string> = environment, map: [string, string][] = []) {
  const result = editEnvironmentFile(before === null ? null : Buffer.from(before), given, new Map(map));
  const text = result.bytes.toString();
  const again = editEnvironmentFile(result.bytes, given, new Map(map));
  assert.equal(again.bytes.toString(), text, 'twice is not once');
  return { ...result, text };
}

describe('X2: a .env file that gets a project’s database', () => {
  it('is made with DATABASE_URL alone', () => {
    assert.equal(edit(null).text, `DATABASE_URL='${url}'\n`);
    assert.equal(edit('').text, `DATABASE_URL='${url}'\n`);
  });

  it('keeps all but the values of the variables that it has', () => {
    const before = [
      '\ufeff# The app’s own: PGHOST=not-this',
      'export PGHOST = elsewhere  # dev',
      'PGPORT=5432',
      'SECRET="several',
      'DATABASE_URL=not-this',
      'lines"',
      "  PGUSER='bob' # who",
      'PGDATABASE="old"',
      'broken line = ',
      'PGAPPNAME=mine',
      '=nothing',
      'DATABASE_URL=postgres://bob:x@elsewhere/app',
      'LAST=1',
    ].join('\r\n');
    const after = before
      .replace('= elsewhere  # dev', '= localhost  # dev')
      .replace('PGPORT=5432', 'PGPORT=5433')
      .replace("'bob'", "'ann'")
      .replace('"old"', '"cb_proj_shop_1f2e3d4c"')
      .replace(
        'DATABASE_URL=postgres://bob:x@elsewhere/app',
        `DATABASE_URL='${url.replace('postgresql', 'postgres')}'`,
      );
    const result = edit(before);
    assert.equal(result.text, after);
    assert.deepEqual(result.set, ['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'DATABASE_URL']);
  });

  it('gets what is missing at its end, in its own line endings and form', () => {
    assert.equal(edit('A=1').text, `A=1\nDATABASE_URL='${url}'\n`);
    assert.equal(edit('A=1\r\nB=2').text, `A=1\r\nB=2\r\nDATABASE_URL='${url}'\r\n`);
    assert.equal(edit('export A=1\n').text, `export A=1\nexport DATABASE_URL='${url}'\n`);
  });

  it('keeps scheme and parameters of the URL that it has, but none that says where to connect', () => {
    for (const [before, after] of [
      [
        '"postgres://u:p@h/db?schema=public&pgbouncer=true"',
        `'${url.replace('postgresql', 'postgres')}?schema=public&pgbouncer=true'`,
      ],
      [
        'postgresql+psycopg://u@h/db?connect_timeout=3',
        `'${url.replace('postgresql', 'postgresql+psycopg')}?connect_timeout=3'`,
      ],
      ['postgis://u@h/db', `'${url.replace('postgresql', 'postgis')}'`],
      [
        'postgres://u@h/db?host=/tmp&sslmode=require&options=-crole%3Dx&user=x',
        `'${url.replace('postgresql', 'postgres')}'`,
      ],
      ['"prisma+postgres://localhost:51213/?api_key=abc"', `'${url}'`],
      ['"postgresql://h/db?schema=${SCHEMA}"', `"${url}?schema=\${SCHEMA}"`],
      ['', `'${url}'`],
      ['changeme', `'${url}'`],
      ['${OTHER_URL}', `'${url}'`],
    ] as const) {
      assert.equal(edit(`DATABASE_URL=${before}\nX=1\n`).text, `DATABASE_URL=${after}\nX=1\n`);
    }
    const tls = { ...environment, DATABASE_URL: `${url}?sslmode=require` };
    assert.equal(
      edit('DATABASE_URL=postgresql://h/db?sslmode=disable&schema=a\n', tls).text,
      `DATABASE_URL='${url}?sslmode=require&schema=a'\n`,
    );
  });

  it('is left alone when its DATABASE_URL is another system’s, or when it is no text', () => {
    for (const before of ['DATABASE_URL=mysql://u:secret@h/db\n', 'DATABASE_URL="file:./dev.db"\n', 'A\0=1\n']) {
      assert.throws(
        () => edit(before),
        (error) =>
          error instanceof RegistrarError && error.code === 'INVALID_ARGUMENT' && !error.message.includes('secret'),
      );
    }
    // Another key may have the project's beside it.
    const beside = edit('A=mysql://h/db\n', environment, [['SHOP_URL', 'DATABASE_URL']]);
    assert.equal(beside.text, `A=mysql://h/db\nSHOP_URL='${url}'\n`);
  });

  it('has the keys that a map names, and needs no DATABASE_URL where another key has the address', () => {
    const hosts = edit('DB_HOST=x\n', environment, [
      ['DB_HOST', 'PGHOST'],
      ['DB_NAME', 'PGDATABASE'],
    ]);
    assert.equal(hosts.text, `DB_HOST=localhost\nDATABASE_URL='${url}'\nDB_NAME='cb_proj_shop_1f2e3d4c'\n`);
    assert.equal(edit('', environment, [['SHOP_DB', 'DATABASE_URL']]).text, `SHOP_DB='${url}'\n`);
    assert.equal(
      edit('SHOP_DB=postgres://h/x?schema=s\n', environment, [['SHOP_DB', 'DATABASE_URL']]).text,
      `SHOP_DB='${url.replace('postgresql', 'postgres')}?schema=s'\n`,
    );
  });

  it('says what no quoting carries, and leaves nobody else’s password there', () => {
    const odd = edit("PGPASSWORD='old'\n", { ...environment, PGPASSWORD: "it's $5" });
    assert.equal(odd.text, `PGPASSWORD=''\nDATABASE_URL='${url}'\n`);
    assert.deepEqual(odd.leftOut, ['PGPASSWORD']);
    const { PGPASSWORD, ...without } = environment;
    assert.equal(PGPASSWORD, 'se cret');
    assert.equal(edit('PGPASSWORD=old\n', without).text, `PGPASSWORD=''\nDATABASE_URL='${url}'\n`);
  });

  it('says which of its keys lead elsewhere', () => {
    assert.deepEqual(edit('PGSERVICE=x\nPGHOSTADDR=1.2.3.4\nPGAPPNAME=y\n').misleading, ['PGHOSTADDR', 'PGSERVICE']);
  });

  it('is the same file to whoever reads the rest of it, whatever stands there', () => {
    const line = fc.oneof(
      // A lone CR at the end would become the CR of our line end; files with one are refused as a whole.
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll(/['"`\0\r]/g, '')),
      fc.constantFrom(
        'A=1',
        "B='x\ny'",
        'C="x # y"',
        'PGHOST=old',
        'export PGUSER="old"',
        '# DATABASE_URL=x',
        'D=`x`',
        'DATABASE_URL=',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const before = lines.join(end);
        const { bytes, set } = editEnvironmentFile(Buffer.from(before), environment, new Map());
        const twice = editEnvironmentFile(bytes, environment, new Map());
        assert.deepEqual(twice.bytes, bytes);
        assert.ok(set.includes('DATABASE_URL'));
        const others = (text: string) =>
          text.split(/\r?\n/).filter((entry) => !/DATABASE_URL|PG|'|"|`/.test(entry) && entry !== '');
        assert.deepEqual(others(bytes.toString()), others(before));
      }),
    );
    const { PGHOST, DATABASE_URL } = parseEnv(edit('PGHOST=x\nA=1\n').text);
    assert.deepEqual([PGHOST, DATABASE_URL], ['localhost', url]);
  });
});
