import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createScanner } from 'jsonc-parser';
import { editConfigText } from '../../../daemon/config/editConfig.ts';
import type { ConfigEdit } from '../../../daemon/config/editConfig.ts';
import { parseJsoncTree, valueOf } from '../../../daemon/files/jsoncTree.ts';
import { parseConfig } from '../../../daemon/config/parseConfig.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { wildConfig } from './arbitraryJsonc.ts';
import type { WildConfig } from './arbitraryJsonc.ts';

const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';
const setId: ConfigEdit = { key: 'project.id', value: id };
const removeId: ConfigEdit = { key: 'project.id', value: null };

const withoutId = wildConfig(fc.constant({}));
const withId = wildConfig(fc.uuid().map((old) => ({ id: old })));
const runs = { numRuns: 500 };

describe('C10: a config file that is edited', () => {
  const cases: [title: string, before: string, edit: ConfigEdit, after: string][] = [
    [
      'gets a key behind its predecessor, indented alike',
      '{\n  "version": "1.0",\n  "project": {\n    "name": "shop"\n  }\n}\n',
      setId,
      `{\n  "version": "1.0",\n  "project": {\n    "name": "shop",\n    "id": "${id}"\n  }\n}\n`,
    ],
    [
      'keeps a comment with the key that it is about',
      '{\r\n\t"project": {\r\n\t\t"name": "shop" // ours\r\n\t}\r\n}',
      setId,
      `{\r\n\t"project": {\r\n\t\t"name": "shop", // ours\r\n\t\t"id": "${id}"\r\n\t}\r\n}`,
    ],
    [
      'keeps its trailing comma',
      '{"project": {\n  "name": "shop", /* a */ // b\n}}',
      setId,
      `{"project": {\n  "name": "shop", /* a */ // b\n  "id": "${id}",\n}}`,
    ],
    ['stays on one line', '{"project":{"name":"shop","x":1}}', setId, `{"project":{"name":"shop","id":"${id}","x":1}}`],
    [
      'stays spaced on one line',
      '{ "project": { "name": "a" } }',
      setId,
      `{ "project": { "name": "a", "id": "${id}" } }`,
    ],
    [
      'breaks its only line where a line comment demands it',
      '{"project":{"name":"a" // c\n}}',
      setId,
      `{"project":{"name":"a", // c\n"id":"${id}"\n}}`,
    ],
    ['fills an empty object', '{\n  "project": {\n  }\n}', setId, `{\n  "project": {\n    "id": "${id}"\n  }\n}`],
    [
      'keeps its byte order mark',
      '\uFEFF{"project":{"name":"a"}}',
      setId,
      `\uFEFF{"project":{"name":"a","id":"${id}"}}`,
    ],
    [
      'keeps a value that is there in another spelling',
      '{"project":{"name":"\\u0061"}}',
      { key: 'project.name', value: 'a' },
      '{"project":{"name":"\\u0061"}}',
    ],
    [
      'loses only the line of a removed key',
      '{"project": {\n  // n\n  "name": "a",\n  "id": "x" // gone\n}}',
      removeId,
      '{"project": {\n  // n\n  "name": "a"\n  // gone\n}}',
    ],
    [
      'loses a comment inside a removed key, keeps one before its comma',
      '{"project": {"id": /* a */ "x" /* b */, "name": "a"}}',
      removeId,
      '{"project": { /* b */ "name": "a"}}',
    ],
    [
      'loses the comma of a removed last key',
      '{"project": {"name": "a", "id": "x"}}',
      removeId,
      '{"project": {"name": "a"}}',
    ],
    [
      'loses a removed first key',
      '{"project": {\n  "id": "x",\n  "name": "a"\n}}',
      removeId,
      '{"project": {\n  "name": "a"\n}}',
    ],
    [
      'is left alone when the key to remove is not there',
      '{"project":{"name":"a"} }',
      removeId,
      '{"project":{"name":"a"} }',
    ],
  ];
  for (const [title, before, edit, after] of cases) {
    it(title, () => {
      assert.equal(editConfigText(before, [edit]), after);
    });
  }

  it('takes several edits, in the order of the keys that Registrar writes', () => {
    const edits: ConfigEdit[] = [
      { key: 'project.database_name', value: 'cb_proj_b_1f2e3d4c' },
      setId,
      { key: 'project.name', value: 'b' },
    ];
    assert.equal(
      editConfigText('{"project": {"name": "a", "x": [1]}}', edits),
      `{"project": {"name": "b", "id": "${id}", "database_name": "cb_proj_b_1f2e3d4c", "x": [1]}}`,
    );
  });

  it('is refused when it has no object to edit', () => {
    for (const text of ['{"project": 5}', '{', '[]', '']) {
      assert.throws(
        () => editConfigText(text, [setId]),
        (error) => error instanceof RegistrarError && error.code === 'CONFIG_INVALID',
      );
    }
  });

  it('differs by one comma and the new key alone, whatever it looks like', () => {
    fc.assert(
      fc.property(withoutId, (config) => {
        const edited = editConfigText(config.text, [setId]);
        assert.deepEqual(strictly(edited), withProject(config, { id }));
        assert.ok(isInsertionOf(edited, config.text), `not an insertion: ${JSON.stringify(edited)}`);
        assert.equal(parseConfig(Buffer.from(edited), '/w/.codebase-mcp/config.json').id, id);
      }),
      runs,
    );
  });

  it('differs by the replaced value alone, whatever it looks like', () => {
    fc.assert(
      fc.property(withId, (config) => {
        const old = JSON.stringify(config.value.project['id']);
        const edited = editConfigText(config.text, [setId]);
        assert.deepEqual(strictly(edited), withProject(config, { id }));
        assert.equal(edited.split(`"${id}"`).length, 2);
        assert.equal(edited.replace(`"${id}"`, old), config.text);
      }),
      runs,
    );
  });

  it('loses only the removed key, one comma and blanks, whatever it looks like', () => {
    fc.assert(
      fc.property(withId, (config) => {
        const edited = editConfigText(config.text, [removeId]);
        const kept = Object.entries(config.value.project).filter(([key]) => key !== 'id');
        assert.deepEqual(strictly(edited), { ...config.value, project: Object.fromEntries(kept) });
        assert.deepEqual(commentsOf(edited), config.comments);
        assert.ok(isSubsequence(edited, config.text));
      }),
      runs,
    );
  });

  it('is the same but for blanks after a key was added and removed again', () => {
    fc.assert(
      fc.property(withoutId, (config) => {
        const again = editConfigText(editConfigText(config.text, [setId]), [removeId]);
        assert.equal(again.replace(/\s/g, ''), config.text.replace(/\s/g, ''));
        assert.deepEqual(commentsOf(again), config.comments);
      }),
      runs,
    );
  });

  it('is not changed by a second identical edit', () => {
    fc.assert(
      fc.property(fc.oneof(withId, withoutId), fc.constantFrom(setId, removeId), (config, edit) => {
        const once = editConfigText(config.text, [edit]);
        assert.equal(editConfigText(once, [edit]), once);
      }),
      runs,
    );
  });
});

function withProject(config: WildConfig, keys: Record<string, unknown>): unknown {
  return { ...config.value, project: { ...config.value.project, ...keys } };
}

function strictly(text: string): unknown {
  const tree = parseJsoncTree(text.replace(/^\uFEFF/, ''));
  assert.ok(tree.ok);
  return valueOf(tree.root);
}

/** Whether taking out one comma (or none, in an empty object) and one stretch with the new key gives the original. */
function isInsertionOf(edited: string, original: string): boolean {
  const property = /\s*"id"[ \t]*:[ \t]*"1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0"$/;
  const end = edited.indexOf(id) + id.length + 1;
  const inserted = property.exec(edited.slice(0, end))?.[0] ?? '';
  for (let start = end - inserted.trimStart().length; start >= end - inserted.length; start -= 1) {
    const without = edited.slice(0, start) + edited.slice(end);
    for (let comma = without.indexOf(','); comma >= 0; comma = without.indexOf(',', comma + 1)) {
      if (without.slice(0, comma) + without.slice(comma + 1) === original) return true;
    }
  }
  return false;
}

function isSubsequence(short: string, long: string): boolean {
  let at = 0;
  for (const char of long) if (short.startsWith(char, at)) at += char.length;
  return at === short.length;
}

function commentsOf(text: string): string[] {
  const body = text.replace(/^\uFEFF/, '');
  const scanner = createScanner(body);
  const comments: string[] = [];
  for (scanner.scan(); scanner.getTokenOffset() < body.length; scanner.scan()) {
    const token = body.slice(scanner.getTokenOffset(), scanner.getPosition());
    if (/^\/[/*]/.test(token)) comments.push(token);
  }
  return comments;
}
