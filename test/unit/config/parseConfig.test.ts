import assert from 'node:assert/strict';
import fc from 'fast-check';
import { configJsonSchema } from '../../../daemon/config/configSchema.ts';
import { maxConfigBytes, parseConfig } from '../../../daemon/config/parseConfig.ts';
import type { ParsedConfig } from '../../../daemon/config/parseConfig.ts';
import { checkName } from '../../../daemon/protocol/names.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { wildConfig } from './arbitraryJsonc.ts';

const path = '/w/my.shop/.codebase-mcp/config.json';
const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';

describe('a config file', () => {
  it('is read with every key that Registrar knows, and with keys that it does not', () => {
    const text = JSON.stringify({
      $schema: 'x',
      version: '1.0',
      project: { name: 'shop', id: id.toUpperCase(), database_name: 'cb_proj_x_1f2e3d4c', more: 1 },
      auto_switch: false,
      strict_mode: true,
      dry_run: true,
      description: 'Sells',
    });
    assert.deepEqual(parse(text), {
      path,
      folder: '/w/my.shop',
      name: 'shop',
      id,
      databaseName: 'cb_proj_x_1f2e3d4c',
      autoSwitch: false,
      strictMode: true,
      dryRun: true,
      description: 'Sells',
    });
  });

  it('R7: switches automatically, without strictness and not dry, unless it says otherwise', () => {
    const { autoSwitch, strictMode, dryRun } = parse('{"version": "1.0", "project": {"name": "shop"}}');
    assert.deepEqual({ autoSwitch, strictMode, dryRun }, { autoSwitch: true, strictMode: false, dryRun: false });
  });

  it('R8: is read with byte order mark, comments, CRLF and trailing commas', () => {
    const text =
      '\uFEFF// c\r\n{\r\n  /* "version": "2" */ "version": "1.0",\r\n  "project": { "name": "shop", },\r\n}\r\n';
    assert.equal(parse(text).name, 'shop');
  });

  it('R8: is read however it is written', () => {
    fc.assert(
      fc.property(wildConfig(fc.record({ id: fc.uuid() }, { requiredKeys: [] })), (wild) => {
        const config = parse(wild.text);
        assert.equal(config.name, wild.value.project['name']);
        assert.equal(config.id, wild.value.project['id'] ?? null);
      }),
      { numRuns: 500 },
    );
  });

  it('does not read what stands under the key __proto__', () => {
    const text =
      '{"__proto__": {"strict_mode": true}, "version": "1.0", "project": {"name": "a", "__proto__": {"id": "x"}}}';
    assert.equal(parse(text).strictMode, false);
    assert.equal(parse(text).id, null);
    assertFault('{"__proto__": {"version": "1.0"}, "project": {"name": "a"}}', 'CONFIG_INVALID', 1, 1, '1.0');
  });
});

describe('R2, R8: a config file that cannot be honoured says where and why', () => {
  const whole = { version: '1.0', project: { name: 'my-shop' } };
  const syntax: [title: string, text: string | Uint8Array, line: number, column: number, proposal?: unknown][] = [
    ['a number', '5', 1, 1, whole],
    ['a list', '\n []', 2, 2, whole],
    ['null', 'null', 1, 1, whole],
    ['nothing', '', 1, 1],
    ['only a comment', '// x\n', 1, 1],
    ['only a byte order mark', '\uFEFF', 1, 1],
    ['truncated in an object', '{\n  "version": "1.0",\n  "project": {', 3, 15],
    ['truncated in a text', '{"version": "1.', 1, 13],
    ['truncated in a comment', '{"version": "1.0" /*', 1, 19],
    ['a missing comma', '{"version": "1.0"\n "project": {"name": "a"}}', 2, 2],
    ['a bare word', '{"version": banana}', 1, 13],
    ['single quotes', "{'version': '1.0'}", 1, 2],
    ['two values', '{"version": "1.0", "project": {"name": "a"}} {}', 1, 46],
    ['a NUL byte in a text', '{"version": "1.0",\n"project": {"name": "a\0"}}', 2, 23],
    ['a NUL byte behind the end', '{}\n\0', 2, 1],
    ['UTF-16', Buffer.from('{"version": "1.0"}', 'utf16le'), 1, 2],
    ['Latin-1', Buffer.from('{\n "é": 1}', 'latin1'), 2, 3],
    ['a surrogate in UTF-8', Buffer.from([0x7b, 0x0a, 0xed, 0xa0, 0x80]), 2, 1],
    ['a million brackets', '['.repeat(1_000_000), 1, 101],
    ['a million objects', '{"a":'.repeat(200_000), 1, 501],
    ['a million escaped quotes', `"${'\\"'.repeat(500_000)}`, 1, 1],
    ['2 MB', ' '.repeat(2_000_000), 1, 1],
    ['a key that counts twice', '{"version": "1.0", "project": {"name": "a",\n"name": "b"}}', 2, 1],
    ['a top key that counts twice', '{"version": "1.0", "project": {"name": "a"}, "project": {}}', 1, 46],
  ];
  for (const [title, content, line, column, proposal] of syntax) {
    it(title, () => {
      assertFault(content, 'CONFIG_INVALID', line, column, proposal);
    });
  }

  it('10 MB, without being parsed', () => {
    const error = faultOf(Buffer.alloc(10_000_000, 0x5b));
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, new RegExp(`10000000 bytes; at most ${maxConfigBytes}`));
  });

  const shapes: [title: string, json: string, column: number, proposal: unknown][] = [
    ['no version', '{"project": {"name": "a"}}', 1, '1.0'],
    ['a version that is a number', '{"version": 1.0, "project": {"name": "a"}}', 13, '1.0'],
    ['an unknown version', '{"version": "2.0", "project": {"name": "a"}}', 13, '1.0'],
    ['no project', '{"version": "1.0"}', 1, { name: 'my-shop' }],
    ['a project that is a text', '{"version": "1.0", "project": "a"}', 31, { name: 'my-shop' }],
    ['a project without name', '{"version": "1.0", "project": {}}', 31, 'my-shop'],
    ['a name that is a number', '{"version": "1.0", "project": {"name": 5}}', 40, 'my-shop'],
    ['an id that is null', '{"version": "1.0", "project": {"name": "a", "id": null}}', 51, null],
    ['an id that is empty', '{"version": "1.0", "project": {"name": "a", "id": ""}}', 51, null],
    ['an id that is no UUID', '{"version": "1.0", "project": {"name": "a", "id": "a"}}', 51, null],
    ['a database name that is null', '{"version": "1.0", "project": {"name": "a", "database_name": null}}', 62, null],
    ['a description that is a list', '{"version": "1.0", "project": {"name": "a"}, "description": []}', 61, null],
  ];
  for (const [title, json, column, proposal] of shapes) {
    it(title, () => {
      assertFault(json, 'CONFIG_INVALID', 1, column, proposal);
    });
  }

  for (const key of ['auto_switch', 'strict_mode', 'dry_run']) {
    for (const [value, proposal] of [
      ['"banana"', null],
      ['"true"', true],
      ['"off"', false],
      ['null', null],
      ['1', null],
    ] as const) {
      it(`R7: ${key} of ${value} is an error, not a guess`, () => {
        const json = `{"version": "1.0", "project": {"name": "a"},\n"${key}": ${value}}`;
        const error = assertFault(json, 'CONFIG_INVALID', 2, key.length + 5, proposal);
        assert.ok(error.message.includes(`${key} must be true or false, not ${value}`), error.message);
      });
    }
  }

  for (const name of ['@scope/my.app', '日本語', '', 'default', 'a'.repeat(300), ' ', 'a\\n']) {
    it(`C6: the name ${JSON.stringify(name.slice(0, 20))}, with a valid one proposed`, () => {
      const error = assertFault(`{"version": "1.0",\n"project": {"name": "${name}"}}`, 'NAME_INVALID', 2, 21);
      const proposal = error.details?.['proposal'];
      assert.ok(typeof proposal === 'string' && checkName(proposal).ok);
      assert.ok(error.hint.includes(proposal));
      assert.ok(error.message.length < 200);
    });
  }

  it('a database name, with a valid one proposed from name and id', () => {
    const json = `{"version": "1.0", "project": {"name": "My Shop", "id": "${id}",\n"database_name": "postgres"}}`;
    assertFault(json, 'DATABASE_NAME_INVALID', 2, 18, 'cb_proj_my_shop_1f2e3d4c');
    const withoutId = '{"version": "1.0", "project": {"name": "a",\n"database_name": ""}}';
    assertFault(withoutId, 'DATABASE_NAME_INVALID', 2, 18, null);
  });

  it('any bytes: a config or a typed error with a place and a next step, never a crash', () => {
    const seed = Buffer.from('{"version": "1.0", "project": {"name": "a"}} // é');
    const damaged = fc
      .tuple(fc.nat(seed.length), fc.nat(seed.length), fc.uint8Array({ maxLength: 4 }))
      .map(([from, to, bytes]) => Buffer.concat([seed.subarray(0, from), bytes, seed.subarray(to)]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => {
        try {
          parseConfig(bytes, path);
        } catch (error) {
          assert.ok(error instanceof RegistrarError);
          const line = error.details?.['line'];
          assert.ok(typeof line === 'number' && line >= 1);
          assert.notEqual(error.hint, '');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the JSON schema of the config file', () => {
  it('is made from what the parser checks, with a description for every key', () => {
    const schema = configJsonSchema() as {
      required: string[];
      allowComments: boolean;
      properties: Record<string, { description?: string; properties?: Record<string, { description?: string }> }>;
    };
    assert.deepEqual(schema.required, ['version', 'project']);
    assert.equal(schema.allowComments, true);
    const keys = Object.keys(schema.properties);
    assert.deepEqual(keys, ['version', 'project', 'auto_switch', 'strict_mode', 'dry_run', 'description']);
    const inProject = schema.properties['project']?.properties ?? {};
    assert.deepEqual(Object.keys(inProject), ['name', 'id', 'database_name']);
    for (const property of [...Object.values(schema.properties), ...Object.values(inProject)]) {
      assert.ok((property.description ?? '').length > 10);
    }
  });

  it('leaves names and ids to the parser, whose words are better', () => {
    const schema = configJsonSchema() as { properties: { project: { properties: Record<string, object> } } };
    for (const property of Object.values(schema.properties.project.properties)) {
      assert.deepEqual(Object.keys(property).sort(), ['description', 'type']);
    }
  });
});

function parse(text: string): ParsedConfig {
  return parseConfig(Buffer.from(text), path);
}

function faultOf(content: string | Uint8Array): RegistrarError {
  try {
    parseConfig(Buffer.from(content), path);
  } catch (error) {
    assert.ok(error instanceof RegistrarError, String(error));
    return error;
  }
  return assert.fail('it was accepted');
}

function assertFault(
  content: string | Uint8Array,
  code: string,
  line: number,
  column: number,
  ...proposal: unknown[]
): RegistrarError {
  const error = faultOf(content);
  const { details } = error;
  assert.deepEqual([error.code, details?.['line'], details?.['column']], [code, line, column], error.message);
  assert.ok(error.message.startsWith(`${path}:${line}:${column} `), error.message);
  assert.notEqual(error.hint, '');
  if (proposal.length > 0) assert.deepEqual(details?.['proposal'], proposal[0]);
  return error;
}
