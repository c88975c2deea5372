import assert from 'node:assert/strict';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { ErrorCode } from '../../daemon/protocol/codes.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { startWorkflowServer, type WorkflowServer } from '../support/workflowServer.ts';

describe('a config file that cannot be honoured', () => {
  let fixture: RegistryFixture;
  let workflow: WorkflowServer;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    workflow = await startWorkflowServer();
    // The tiers below would answer, if they were asked.
    engine = await fixture.engine({
      settings: { 'registrar.workflow.url': workflow.url, 'registrar.defaultProject.enabled': true },
    });
    const { id } = resolved(await engine.createProject({ name: 'active' }));
    workflow.answer = { project: id };
    assert.equal(resolved(await engine.resolve({})).id, id);
    workflow.take();
    fixture.spy.take();
  });
  after(async () => {
    await workflow.close();
    await fixture.close();
  });

  /** Its own error, with the file in it; the server, the workflow server and the file are left alone. */
  async function assertRefused(directory: string, file: string, code: ErrorCode): Promise<ErrorReport> {
    // An engine that has asked the workflow server before would not ask again in any case.
    const fresh = await fixture.engine({
      settings: { 'registrar.workflow.url': workflow.url, 'registrar.defaultProject.enabled': true },
    });
    const answer = await fresh.resolve({ directory });
    const error = refused(answer, code);
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    assert.equal(answer.tier, 2);
    assert.ok(error.message.includes(file), error.message);
    assert.equal(answer.trace[1]?.reason, error.message);
    assert.deepEqual(workflow.take(), []);
    assert.deepEqual(fixture.spy.take(), []);
    return error;
  }

  const project = '"project": {"name": "shop"}';
  const faults: [string, string | Buffer, ErrorCode, string, RegExp][] = [
    ['R8: is empty', '', 'CONFIG_INVALID', '1:1', /holds no JSON value/],
    ['R8: is the number 5', '5', 'CONFIG_INVALID', '1:1', /must be an object/],
    ['R8: is a list', '[]', 'CONFIG_INVALID', '1:1', /must be an object/],
    ['R8: is truncated', `{"version": "1.0",\n  ${project}`, 'CONFIG_INVALID', '2:30', /closing brace.*ends here/],
    ['R8: holds a NUL byte', `{\n"ver\0sion": "1.0"}`, 'CONFIG_INVALID', '2:5', /NUL/],
    ['R8: is UTF-16', Buffer.from(`{"version": "1.0", ${project}}`, 'utf16le'), 'CONFIG_INVALID', '1:2', /NUL/],
    ['R8: is not UTF-8', Buffer.from([0x7b, 0x0a, 0x20, 0xff, 0x7d]), 'CONFIG_INVALID', '2:2', /UTF-8/],
    ['R8: has 10 MB', `{${' '.repeat(10_000_000)}}`, 'CONFIG_INVALID', '1:1', /10000002 bytes/],
    ['R8: nests a million levels', '['.repeat(1_000_000), 'CONFIG_INVALID', '1:101', /nests deeper/],
    ['R2: lacks a comma', `{"version": "1.0"\n ${project}}`, 'CONFIG_INVALID', '2:2', /comma/],
    ['R2: has no project', '{"version": "1.0"}', 'CONFIG_INVALID', '1:1', /project is missing/],
    [
      'R2: has an unknown version',
      `{\n"version": "2.0", ${project}}`,
      'CONFIG_INVALID',
      '2:12',
      /version must be "1.0"/,
    ],
    [
      'R2: has a number as name',
      '{"version": "1.0",\n"project": {"name": 5}}',
      'CONFIG_INVALID',
      '2:21',
      /string in quotes, not 5/,
    ],
    [
      'R2: has the name twice',
      '{"version": "1.0",\n"project": {"name": "a", "name": "b"}}',
      'CONFIG_INVALID',
      '2:26',
      /twice/,
    ],
    [
      'R2: has an id that is none',
      '{"version": "1.0",\n"project": {"name": "a", "id": "7"}}',
      'CONFIG_INVALID',
      '2:32',
      /not a UUID/,
    ],
    ['R2: has a bad name', '{"version": "1.0",\n"project": {"name": "my.app"}}', 'NAME_INVALID', '2:21', /my\.app/],
    [
      'R2: has a bad database name',
      '{"version": "1.0",\n"project": {"name": "a", "database_name": "a"}}',
      'DATABASE_NAME_INVALID',
      '2:43',
      /database_name "a"/,
    ],
    [
      'R2: has a description that no database stores',
      `{"version": "1.0",\n"description": "a\\u0000", ${project}}`,
      'CONFIG_INVALID',
      '2:16',
      /NUL/,
    ],
    ...['auto_switch', 'strict_mode', 'dry_run'].map((key): [string, string, ErrorCode, string, RegExp] => [
      `R7: has "banana" as ${key}`,
      `{"version": "1.0", ${project},\n  "${key}": "banana"}`,
      'CONFIG_INVALID',
      `2:${String(key.length + 7)}`,
      new RegExp(`${key} must be true or false, not "banana"`),
    ]),
  ];
  for (const [title, content, code, place, words] of faults) {
    it(`${title}: ${code} with line and column`, async () => {
      const folder = await fixture.folder();
      const file = await fixture.config(folder, content);
      const error = await assertRefused(folder, `${file}:${place} `, code);
      assert.match(error.message, words);
      const [line, column] = place.split(':').map(Number);
      assert.deepEqual([error.details?.['line'], error.details?.['column']], [line, column]);
      assert.deepEqual(await readFile(file), Buffer.from(content));
    });
  }

  it('R2: and a project made by name alone refuse the same description', async () => {
    await thrown(engine.createProject({ name: 'described', description: 'a\0' }), 'INVALID_ARGUMENT');
    assert.deepEqual(fixture.spy.take(), []);
  });

  it('R2: is a folder, or a link to nothing: CONFIG_UNREADABLE', async () => {
    const folder = await fixture.folder();
    const file = join(folder, '.codebase-mcp', 'config.json');
    await mkdir(file, { recursive: true });
    assert.match((await assertRefused(folder, file, 'CONFIG_UNREADABLE')).message, /is not a file/);
    await rm(file, { recursive: true });
    await symlink(join(folder, 'nothing'), file);
    assert.match((await assertRefused(folder, file, 'CONFIG_UNREADABLE')).message, /does not exist/);
  });

  it('R2: hides a good one above it, rather than let that answer', async () => {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'above' } });
    const below = join(folder, 'below');
    await mkdir(below);
    const file = await fixture.config(below, '{');
    await assertRefused(below, file, 'CONFIG_INVALID');
    await rm(dirname(file), { recursive: true });
    assert.equal(resolved(await engine.resolve({ directory: below })).name, 'above');
  });

  it('R8: is none for a byte order mark, comments, trailing commas and CRLF, which all stay', async () => {
    const folder = await fixture.folder();
    const text =
      '\uFEFF// ours\r\n{\r\n\t"version": "1.0", /* one */\r\n\t"project": { "name": "commented", },\r\n}\r\n';
    const file = await fixture.config(folder, text);
    const answer = await engine.resolve({ directory: folder });
    const made = resolved(answer);
    assert.deepEqual(answer.warnings, []);
    const written = await readFile(file, 'utf8');
    assert.equal(written.replace(/,?\s*"id": "[0-9a-f-]{36}"/, ''), text);
    assert.ok(written.includes(`"id": "${made.id}"`), written);
    await assertAgreement(fixture, made, null);
    assert.equal((await engine.resolve({ directory: folder })).created, false);
    await writeFile(file, text);
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, made.id);
  });
});
