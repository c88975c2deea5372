import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { createWorkflowClient } from '../../../daemon/workflow/activeProject.ts';
import type { WorkflowAnswer, WorkflowPort } from '../../../daemon/resolution/ports.ts';

const id = '1f2e3d4c-5b6a-4788-9a0b-c1d2e3f40516';

describe('R10: the workflow server', () => {
  let respond: (response: http.ServerResponse) => void;
  let paths: string[];
  let server: http.Server;
  let port: number;
  let time: number;

  before(async () => {
    server = http.createServer((request, response) => {
      paths.push(`${request.method ?? ''} ${request.url ?? ''}`);
      respond(response);
    });
    port = await listen(server);
  });

  beforeEach(() => {
    paths = [];
    time = 1000;
    respond = json({ project_id: id });
  });

  after(() => stop(server));

  function json(value: unknown, status = 200): (response: http.ServerResponse) => void {
    return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }

  /** Null is the limit that the product has; the other is one that a machine which stalls does not reach. */
  function client(url = `http://127.0.0.1:${String(port)}`, timeoutMs: number | null = 30_000): WorkflowPort {
    return createWorkflowClient({ url, now: () => time, timeoutMs: timeoutMs ?? undefined });
  }

  /** The reason of a failed answer. */
  async function failure(asked: WorkflowPort): Promise<string> {
    const answer = await asked.activeProject();
    assert.ok(answer.kind === 'failed', answer.kind);
    return answer.reason;
  }

  it('names the active project by its canonical id', async () => {
    respond = json({ project_id: id.toUpperCase().replaceAll('-', ''), other: 1 });
    assert.deepEqual(await client().activeProject(), { kind: 'project', id, cached: false });
    assert.deepEqual(paths, ['GET /api/v1/projects/active']);
  });

  it('gets one request however many ask at once', async () => {
    const asked = client();
    const answers = await Promise.all(Array.from({ length: 50 }, () => asked.activeProject()));
    assert.equal(paths.length, 1);
    assert.deepEqual(new Set(answers.map(({ kind }) => kind)), new Set<WorkflowAnswer['kind']>(['project']));
    assert.equal(answers.filter(({ cached }) => !cached).length, 1);
  });

  it('is asked again after 60 s, not before', async () => {
    const asked = client();
    await asked.activeProject();
    time += 59_999;
    assert.deepEqual(await asked.activeProject(), { kind: 'project', id, cached: true });
    assert.equal(paths.length, 1);
    time += 1;
    respond = json({ project_id: null });
    assert.deepEqual(await asked.activeProject(), { kind: 'none', reason: 'no project is active', cached: false });
    assert.equal(paths.length, 2);
    time += 59_999;
    assert.equal((await asked.activeProject()).cached, true);
  });

  it('is asked again 10 s after a failure, not before', async () => {
    const asked = client();
    respond = json({}, 500);
    assert.equal(await failure(asked), 'HTTP 500');
    time += 9999;
    assert.deepEqual(await asked.activeProject(), { kind: 'failed', reason: 'HTTP 500', cached: true });
    assert.equal(paths.length, 1);
    time += 1;
    respond = json({ project_id: id });
    assert.deepEqual(await asked.activeProject(), { kind: 'project', id, cached: false });
  });

  it('that refuses is a failure', async () => {
    const closed = http.createServer();
    const free = await listen(closed);
    await stop(closed);
    assert.equal(await failure(client(`http://127.0.0.1:${String(free)}`)), 'refused');
  });

  it('that does not answer is a failure after 1 s', async () => {
    respond = () => undefined;
    assert.equal(await failure(client(undefined, null)), 'no answer within 1000 ms');
  });

  it('whose body never ends is a failure after the limit, and its connection is closed', async () => {
    let closed: Promise<void> = Promise.resolve();
    respond = (response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      response.writeHead(200).write('{"project_id":');
    };
    assert.equal(await failure(client(undefined, 100)), 'no answer within 100 ms');
    await closed;
  });

  it('that sends too much is cut off', async () => {
    let closed: Promise<void> = Promise.resolve();
    respond = (response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(16_384)));
      };
      response.on('drain', more).writeHead(200);
      more();
    };
    assert.equal(await failure(client()), 'the answer is larger than 64 KB');
    await closed;
  });

  it('that is no HTTP server is a failure', async () => {
    const other = net.createServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .end('220 mail.example ESMTP\r\n');
    });
    const otherPort = await listen(other);
    assert.match(await failure(client(`http://127.0.0.1:${String(otherPort)}`)), /the request failed/);
    await stop(other);
  });

  const answers: [string, (response: http.ServerResponse) => void, string][] = [
    ['HTML', (response) => response.writeHead(200).end('<html>hello</html>'), 'the answer is not JSON'],
    ['nothing', (response) => response.writeHead(200).end(), 'the answer is not JSON'],
    ['no content', (response) => response.writeHead(204).end(), 'HTTP 204'],
    ['another object', json({ id }), 'the answer has no project_id'],
    ['a list', json([id]), 'the answer has no project_id'],
    ['null', json(null), 'the answer has no project_id'],
    ['a number', json({ project_id: 5 }), 'the project_id in the answer is not a UUID'],
    ['a name', json({ project_id: 'shop' }), 'the project_id in the answer is not a UUID'],
    ['not found', json({ detail: 'nope' }, 404), 'HTTP 404'],
  ];
  for (const [what, answer, reason] of answers) {
    it(`that answers with ${what} is a failure: ${reason}`, async () => {
      respond = answer;
      assert.equal(await failure(client()), reason);
    });
  }

  it('that redirects is not followed', async () => {
    respond = (response) => response.writeHead(302, { location: `http://127.0.0.1:${String(port)}/elsewhere` }).end();
    assert.equal(await failure(client()), 'HTTP 302, redirects are not followed');
    assert.equal(paths.length, 1);
  });

  for (const [prefix, path] of [
    ['/', '/api/v1/projects/active'],
    ['//', '/api/v1/projects/active'],
    ['//flow///v2//', '/flow/v2/api/v1/projects/active'],
    ['/flow', '/flow/api/v1/projects/active'],
  ] as const) {
    it(`with "${prefix}" after its host is asked for ${path}`, async () => {
      await client(`http://127.0.0.1:${String(port)}${prefix}`).activeProject();
      assert.deepEqual(paths, [`GET ${path}`]);
    });
  }

  const unusable: [string, string][] = [
    ['http:////', 'the workflow URL is not a URL'],
    ['', 'the workflow URL is not a URL'],
    ['127.0.0.1:8000', 'the workflow URL is not a URL'],
    ['localhost:8000', 'the workflow URL is neither http nor https'],
    ['file:///etc/passwd', 'the workflow URL is neither http nor https'],
    ['http://user:secret@127.0.0.1', 'the workflow URL holds a user or password'],
    ['http://127.0.0.1/?key=secret', 'the workflow URL holds a query or fragment'],
  ];
  for (const [url, reason] of unusable) {
    it(`at the unusable address "${url}" is a failure: ${reason}`, async () => {
      assert.equal(await failure(client(url)), reason);
      assert.equal(paths.length, 0);
    });
  }

  it('is spoken to over https, too', async () => {
    const requested: string[] = [];
    const fetch: typeof globalThis.fetch = (url) => {
      requested.push(url instanceof URL ? url.href : 'not a URL');
      return Promise.resolve(new Response(JSON.stringify({ project_id: id })));
    };
    const asked = createWorkflowClient({ url: 'https://flow.example/', fetch, now: () => time });
    assert.equal((await asked.activeProject()).kind, 'project');
    assert.deepEqual(requested, ['https://flow.example/api/v1/projects/active']);
  });
});

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return address === null || typeof address === 'string' ? assert.fail() : address.port;
}

async function stop(server: net.Server): Promise<void> {
  if (server instanceof http.Server) server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
