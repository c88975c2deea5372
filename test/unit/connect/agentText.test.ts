import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { findEntry, saysNothing, withEntry, withoutEntry } from '../../../daemon/connect/agentText.ts';
import { AgentTextFault } from '../../../daemon/connect/agentTextFault.ts';
import { agentSnippet } from '../../../daemon/protocol/agentEntry.ts';
import { agents } from '../../../daemon/protocol/agents.ts';
import type { Agent, AgentEntry } from '../../../daemon/protocol/agents.ts';
import { wildConfig } from '../config/arbitraryJsonc.ts';

const { cursor, codex, vscode } = agents;
const entry: AgentEntry = { command: '/s/bin/registrar', args: ['mcp'] };

/** What an insertion makes of a text, after checking that taking it out again gives the same bytes. */
function inserted(agent: Agent, text: string): string {
  const insertion = withEntry(agent, text, entry);
  assert.deepEqual(findEntry(agent, insertion.text), entry);
  assert.equal(withoutEntry(agent, insertion.text, insertion.inserted), text);
  return insertion.text;
}

function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof AgentTextFault, String(error));
    assert.notEqual(error.hint, '');
    return error.message;
  }
  assert.fail('nothing was thrown');
}

describe('an entry in an agent’s JSON', () => {
  it('is the whole text where there was none', () => {
    assert.equal(inserted(cursor, ''), `${agentSnippet(cursor, entry)}\n`);
    assert.equal(inserted(cursor, '\uFEFF'), `\uFEFF${agentSnippet(cursor, entry)}\n`);
    assert.equal(inserted(cursor, '{}'), agentSnippet(cursor, entry));
    assert.equal(inserted(cursor, '{}\r\n'), `${agentSnippet(cursor, entry).replaceAll('\n', '\r\n')}\r\n`);
  });

  it('keeps comments, order, tabs, line ends and byte order mark, and is indented like the others', () => {
    const text =
      '\uFEFF// mine\r\n{\r\n\t"servers": { // all of them\r\n\t\t// the first\r\n\t\t"a": {"command": "x"}, // a note\r\n\t},\r\n\t"inputs": [1,2],\r\n}\r\n';
    const lines = [
      '\r\n\t\t"registrar": {',
      '\t"command": "/s/bin/registrar",',
      '\t"args": [',
      '\t\t"mcp"',
      '\t]',
      '},',
    ].join('\r\n\t\t');
    assert.equal(inserted(vscode, text), text.replace('// all of them', `// all of them${lines}`));
  });

  it('opens an object that is empty', () => {
    const text = '{\n    "mcpServers": {},\n    "x": 1\n}';
    assert.equal(
      inserted(cursor, text),
      '{\n    "mcpServers": {\n        "registrar": {\n            "command": "/s/bin/registrar",\n            "args": [\n                "mcp"\n            ]\n        }\n    },\n    "x": 1\n}',
    );
    assert.match(
      inserted(cursor, '{\n  "mcpServers": {\n    // none yet\n  }\n}'),
      /\{\n {4}"registrar": [^]*\n {4}\}\n {4}\/\/ none yet\n {2}\}/,
    );
    assert.match(inserted(cursor, '{ /* nothing */ }'), /^\{\n {2}"mcpServers"[^]*\n \/\* nothing \*\/ \}$/);
  });

  it('stays on the line where the others are on one', () => {
    const json = '"registrar": {"command":"/s/bin/registrar","args":["mcp"]},';
    assert.equal(inserted(cursor, '{"mcpServers":{"a":{}}}'), `{"mcpServers":{${json}"a":{}}}`);
    assert.equal(inserted(cursor, '{ "mcpServers": { "a": {} } }'), `{ "mcpServers": { ${json} "a": {} } }`);
    assert.equal(
      inserted(cursor, '{ /* b */ "x": 1 }'),
      `{ "mcpServers": {${json.replace(': ', ':').slice(0, -1)}}, /* b */ "x": 1 }`,
    );
  });

  it('can be put into any object, taken out to the byte, and taken out alone with every comment kept', () => {
    const inProject = { ...cursor, serversKey: 'project' };
    fc.assert(
      fc.property(wildConfig(fc.constant({})), ({ text, comments }) => {
        inserted(cursor, text);
        const alone = withoutEntry(inProject, inserted(inProject, text), '');
        assert.equal(findEntry(inProject, alone), undefined);
        for (const comment of comments) assert.ok(alone.includes(comment), comment);
      }),
      { numRuns: 300 },
    );
  });

  it('is taken out alone when the text around it was changed', () => {
    const { text, inserted: piece } = withEntry(cursor, '{\n  // mine\n}', entry);
    const more = text.replace('"mcpServers": {', '"mcpServers": {\n    "b": {}, // note');
    const rest = withoutEntry(cursor, more, piece);
    assert.equal(findEntry(cursor, rest), undefined);
    assert.match(rest, /"b": \{\}/);
    assert.match(rest, /\/\/ note/);
    assert.match(rest, /\/\/ mine/);
    const reformatted = JSON.stringify({ ...(JSON.parse(text.replace('// mine', '')) as object), y: 1 });
    assert.equal(withoutEntry(cursor, reformatted, piece), '{"mcpServers":{},"y":1}');
  });

  it('refuses what it cannot read, with the place', () => {
    assert.match(
      faultOf(() => findEntry(cursor, '{\n  "a" 1\n}')),
      /^, 2:7, lacks a colon/,
    );
    assert.match(
      faultOf(() => findEntry(cursor, '[]')),
      /^, 1:1, holds no JSON object$/,
    );
    assert.match(
      faultOf(() => findEntry(cursor, '{"mcpServers": []}')),
      /^, 1:16, has something other than an object/,
    );
    assert.match(
      faultOf(() => findEntry(cursor, '{"mcpServers": {}, "mcpServers": {}}')),
      /has "mcpServers" twice$/,
    );
    assert.match(
      faultOf(() => findEntry(cursor, '{"mcpServers": {"registrar": 1, "registrar": 2}}')),
      /has "registrar" twice$/,
    );
  });

  it('tells a text that says nothing from one in which somebody wrote', () => {
    for (const text of ['', ' \n', '{}', '{"mcpServers": {}}']) assert.equal(saysNothing(cursor, text), true, text);
    for (const text of ['{"mcpServers": {"a": {}}}', '{} // mine', '{"x": 1}'])
      assert.equal(saysNothing(cursor, text), false, text);
  });
});

describe('an entry in an agent’s TOML', () => {
  const table = '[mcp_servers.registrar]\ncommand = "/s/bin/registrar"\nargs = ["mcp"]\n';

  it('is a table at the end, in the text’s line ends', () => {
    assert.equal(inserted(codex, ''), table);
    assert.equal(inserted(codex, 'model = "x" # mine\n'), `model = "x" # mine\n\n${table}`);
    assert.equal(inserted(codex, 'model = "x"'), `model = "x"\n\n${table}`);
    assert.equal(
      inserted(codex, '\uFEFF[mcp_servers.a]\r\ncommand = "a"\r\n'),
      `\uFEFF[mcp_servers.a]\r\ncommand = "a"\r\n\r\n${table.replaceAll('\n', '\r\n')}`,
    );
  });

  it('escapes what a path may hold', () => {
    const odd = { command: 'C:\\a "b"\n\u007f\u0000é', args: [], http_headers: { 'X-A': '1' } };
    const { text } = withEntry(codex, 'a = 9007199254740993\nd = 1979-05-27T07:32:00Z\n', odd);
    assert.deepEqual(findEntry(codex, text), odd);
    assert.match(agentSnippet(codex, { ...odd, command: 'x' }), /http_headers = \{ X-A = "1" \}$/);
  });

  it('is taken out alone when the text around it was changed', () => {
    const { text, inserted: piece } = withEntry(codex, 'model = "x"\n', entry);
    const edited = `# first\n${text.replace('args = ["mcp"]', 'args = [ "mcp" ] # ours')}\n# about b\n[mcp_servers.b]\ncommand = "b"\n`;
    assert.equal(
      withoutEntry(codex, edited, piece),
      '# first\nmodel = "x"\n\n# about b\n[mcp_servers.b]\ncommand = "b"\n',
    );
    const quoted =
      '[mcp_servers."registrar"]\ncommand = "/s/bin/registrar"\nargs = ["mcp"]\n[mcp_servers.registrar.env]\nA = "1"\n[tui]\nx = 1\n';
    assert.deepEqual({ ...parseToml(withoutEntry(codex, quoted, '')) }, { ...parseToml('[tui]\nx = 1') });
  });

  it('refuses what it cannot read or edit, and repeats nothing of it', () => {
    const secret = faultOf(() => findEntry(codex, 'a = 1\nkey = hunter2\n'));
    assert.match(secret, /^, 2:\d+, is not TOML: /);
    assert.doesNotMatch(secret, /hunter2/);
    assert.match(
      faultOf(() => withEntry(codex, 'mcp_servers = { a = { command = "a" } }\n', entry)),
      /^ writes "mcp_servers" in a way/,
    );
    assert.match(
      faultOf(() => findEntry(codex, 'mcp_servers = 1\n')),
      /^ has something other than a table/,
    );
    const inline = '[mcp_servers]\nregistrar = { command = "/s/bin/registrar", args = ["mcp"] }\n';
    assert.deepEqual(findEntry(codex, inline), entry);
    assert.match(
      faultOf(() => withoutEntry(codex, inline, '')),
      /^ has its entry "registrar" in a form/,
    );
  });
});
