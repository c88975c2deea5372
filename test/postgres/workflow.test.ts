import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { creations, resolved, warningCodes } from '../support/resolutionAssertions.ts';
import { startWorkflowServer, type WorkflowServer } from '../support/workflowServer.ts';

const asked = 'GET /api/v1/projects/active';

describe("the workflow server's active project", () => {
  let fixture: RegistryFixture;
  let workflow: WorkflowServer;
  let engine: Engine;
  let active: Project;
  before(async () => {
    fixture = await registryFixture();
    workflow = await startWorkflowServer();
    engine = await fixture.engine();
    active = resolved(await engine.createProject({ name: 'active' }));
  });
  beforeEach(() => {
    workflow.answer = { project: active.id };
    workflow.take();
    fixture.spy.take();
  });
  after(async () => {
    await workflow.close();
    await fixture.close();
  });

  /** With a limit that a machine which stalls does not reach, unless told. */
  function listening(url = workflow.url, workflowTimeoutMs = 30_000): Promise<Engine> {
    return fixture.engine({ workflowTimeoutMs, settings: { 'registrar.workflow.url': url } });
  }

  it('R10: is asked for once however many callers there are', async () => {
    const working = await listening();
    const folder = await fixture.folder();
    const first = await Promise.all(Array.from({ length: 12 }, () => working.resolve({ directory: folder })));
    const then = await working.resolve({});
    for (const answer of [...first, then]) {
      assert.equal(resolved(answer).id, active.id);
      assert.equal(answer.tier, 3);
      assert.deepEqual(path(answer).slice(2), ['workflow matched', 'identity matched']);
    }
    assert.deepEqual(workflow.take(), [asked]);
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  it('R10: is not asked for by those who name a project or have a config file', async () => {
    const working = await listening();
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'configured' } });
    assert.equal(resolved(await working.resolve({ directory: folder })).name, 'configured');
    assert.equal(resolved(await working.resolve({ project: 'active' })).id, active.id);
    assert.deepEqual(workflow.take(), []);
  });

  it('R10: is found at an address with doubled slashes', async () => {
    const working = await listening(`${workflow.url}//`);
    assert.equal(resolved(await working.resolve({})).id, active.id);
    assert.deepEqual(workflow.take(), [asked]);
  });

  it('R10: is a miss with a warning when the registry lacks it, even where its id is the name of another', async () => {
    const id = randomUUID();
    await engine.createProject({ name: id });
    workflow.answer = { project: id.toUpperCase() };
    const answer = await (await listening()).resolve({});
    assert.equal(answer.outcome, 'unresolved', JSON.stringify(answer.project));
    assert.deepEqual(path(answer), ['explicit skipped', 'config skipped', 'workflow missed', 'default skipped']);
    assert.deepEqual(warningCodes(answer), ['WORKFLOW_UNKNOWN_PROJECT']);
    assert.ok(answer.warnings[0]?.message.includes(id), answer.warnings[0]?.message);
    assert.match(answer.warnings[0]?.hint ?? '', /active project/);
    assert.deepEqual(creations(fixture.spy.take()).length, 1);
  });

  it("R10: is the one with that id where its id is also another's name", async () => {
    const named = resolved(await engine.createProject({ name: active.id }));
    const answer = await (await listening()).resolve({});
    assert.equal(resolved(answer).id, active.id);
    await engine.forgetProject({ project: named.id });
  });

  it('R10: is refused when the caller expects another, and nothing else is asked', async () => {
    const working = await fixture.engine({
      workflowTimeoutMs: 30_000,
      settings: { 'registrar.workflow.url': workflow.url, 'registrar.defaultProject.enabled': true },
    });
    const answer = await working.resolve({ expect: 'another' });
    assert.deepEqual([answer.error?.code, answer.tier], ['PROJECT_MISMATCH', 3]);
    assert.deepEqual(path(answer), ['explicit skipped', 'config skipped', 'workflow failed']);
  });

  const troubles: [string, WorkflowServer['answer'], RegExp][] = [
    ['says that none is active', { project: null }, /no project is active/],
    ['answers 500', (response) => response.writeHead(500).end('{}'), /HTTP 500/],
    ['answers HTML', (response) => response.end('<html>hello</html>'), /not JSON/],
    ['answers other JSON', (response) => response.end('{"id": 5}'), /no project_id/],
    ['names something else', (response) => response.end('{"project_id": "active"}'), /not a UUID/],
    ['redirects', (response) => response.writeHead(302, { location: '/' }).end(), /HTTP 302/],
    ['hangs up', (response) => response.destroy(), /request failed/],
  ];
  for (const [trouble, answer, reason] of troubles) {
    it(`R10: is a miss with its reason when the server ${trouble}`, async () => {
      workflow.answer = answer;
      await assertMiss(await listening(), reason);
      assert.deepEqual(workflow.take(), [asked]);
    });
  }

  const silences: [string, WorkflowServer['answer']][] = [
    ['never answers', () => undefined],
    ['never ends its answer', (response) => response.write('{"project_id": ')],
  ];
  for (const [silence, answer] of silences) {
    it(`R10: is a miss after one second when the server ${silence}`, async () => {
      workflow.answer = answer;
      const working = await fixture.engine({ settings: { 'registrar.workflow.url': workflow.url } });
      await assertMiss(working, /no answer within 1000 ms/);
    });
  }

  it('R10: is a miss with its reason when the server refuses, speaks another protocol or has no usable address', async () => {
    const stranger = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume().end('220 mail.example ESMTP\r\n');
    });
    stranger.listen(0, '127.0.0.1');
    const closed = http.createServer().listen(0, '127.0.0.1');
    await Promise.all([once(stranger, 'listening'), once(closed, 'listening')]);
    const [strangerUrl, closedUrl] = [urlOf(stranger), urlOf(closed)];
    await new Promise((resolve) => closed.close(resolve));
    try {
      await assertMiss(await listening(closedUrl), /^refused$/);
      await assertMiss(await listening(strangerUrl), /request failed/);
      await assertMiss(await listening('localhost:8000'), /neither http nor https/);
      await assertMiss(await listening('http://user:secret@localhost'), /holds a user or password/);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
    assert.deepEqual(workflow.take(), []);
  });

  /** Twice, since a failure is kept: the second answer is as good and asks nobody. */
  async function assertMiss(working: Engine, reason: RegExp): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const answer = await working.resolve({});
      assert.deepEqual([answer.outcome, answer.error?.code], ['unresolved', 'UNRESOLVED']);
      assert.deepEqual(path(answer), ['explicit skipped', 'config skipped', 'workflow missed', 'default skipped']);
      assert.match(answer.trace[2]?.reason ?? '', reason);
      assert.ok(!JSON.stringify(answer).includes('secret'));
    }
    assert.deepEqual(fixture.spy.take(), []);
  }
});

function urlOf(server: net.Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${String(address.port)}`;
}
