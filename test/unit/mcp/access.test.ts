import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { RawAgent } from '../../support/rawAgent.ts';
import { emptySync } from '../cli/fakeCli.ts';
import { attach, call, resolvedAs, serveAgents, signalled, token, type ServedAgents } from './agentFixture.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const hello = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

describe('access to the endpoint', function () {
  this.timeout(60_000);
  let served: ServedAgents;
  afterEach(async () => {
    await served.close();
    assert.deepEqual(served.faults, []);
  });

  /** One request as it is told; null in `headers` leaves a usual one out. */
  async function send(
    body: unknown,
    headers: Record<string, string | null> = {},
    options: { method?: string; path?: string } = {},
  ): Promise<Answer> {
    const all: Record<string, string | null> = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as OutgoingHttpHeaders;
    const { port } = served.http;
    const { method = 'POST', path = '/mcp' } = options;
    const sent = request({ host: '127.0.0.1', port, method, path, headers: given, agent: false });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [
      NodeJS.ReadableStream & { statusCode: number; headers: IncomingHttpHeaders },
    ];
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += String(piece);
    return { status: response.statusCode, headers: response.headers, body: text };
  }

  /** A status, and nothing that says what is behind it. */
  function isBare(answer: Answer, status: number): void {
    assert.equal(answer.status, status);
    assert.equal(answer.body, '');
    assert.deepEqual(Object.keys(answer.headers).sort(), ['connection', 'content-length']);
  }

  /** What comes back on a raw connection until the other side ends it. */
  async function raw(write: (socket: ReturnType<typeof connect>) => void): Promise<string> {
    const socket = connect(served.http.port, '127.0.0.1');
    let text = '';
    socket.on('error', () => undefined).setEncoding('utf8');
    socket.on('data', (piece: string) => (text += piece));
    // Being cut off may be an error here, too.
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    write(socket);
    await closed;
    return text;
  }

  it('is given to who knows the token, by each name of this machine', async () => {
    served = await serveAgents();
    const { port } = served.http;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      for (const origin of [null, `http://${host}`]) {
        const answer = await send(hello, { host, ...(origin === null ? {} : { origin }) });
        assert.equal(answer.status, 200, answer.body);
        assert.match(answer.body, /"serverInfo":\{"name":"project-registrar"/);
      }
    }
  });

  it('is refused to a foreign Host or Origin, also with the token, and to a path that is another', async () => {
    served = await serveAgents();
    const { port } = served.http;
    const foreign = [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `localhost.evil.example:${port}`,
    ];
    for (const host of foreign) isBare(await send(hello, { host }), 403);
    for (const origin of [
      'http://evil.example',
      'null',
      `https://localhost:${port}`,
      'http://localhost',
      `http://127.0.0.1:${port}.evil.example`,
    ]) {
      isBare(await send(hello, { origin }), 403);
    }
    for (const path of ['/', '/mcp/', '/mcp/../mcp', '/sse', '/.well-known/oauth-protected-resource']) {
      isBare(await send(hello, {}, { path }), 404);
    }
  });

  it('is refused without a token and with a wrong one, of the same length or another, whatever is asked', async () => {
    served = await serveAgents();
    const wrong = [
      null,
      '',
      'Bearer',
      `Bearer ${'cd'.repeat(32)}`,
      `Bearer ${token.slice(1)}`,
      `Bearer ${token}0`,
      `Basic ${token}`,
      token,
    ];
    for (const authorization of wrong) {
      for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS', 'PUT']) {
        isBare(await send(method === 'POST' ? hello : undefined, { authorization }, { method }), 401);
      }
    }
  });

  it('ends for a session when the token is another: it is unknown, and so is one that nobody began', async () => {
    served = await serveAgents();
    const begun = await send(hello);
    const id = String(begun.headers['mcp-session-id']);
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    assert.equal((await send(ping, { 'mcp-session-id': id })).status, 200);
    const next = 'cd'.repeat(32);
    served.setToken(next);
    isBare(await send(ping, { 'mcp-session-id': id }), 401);
    await served.host.endHttpSessions();
    isBare(await send(ping, { 'mcp-session-id': id, authorization: `Bearer ${next}` }), 404);
    isBare(await send(ping, { 'mcp-session-id': 'made-up', authorization: `Bearer ${next}` }), 404);
  });

  it('makes no session for anything but a beginning', async () => {
    served = await serveAgents();
    const probes = [{ jsonrpc: '2.0', id: 1, method: 'tools/list' }, [], {}, [hello], 'text', null];
    for (const probe of probes) isBare(await send(probe), 400);
    isBare(await send(undefined, {}, { method: 'GET' }), 400);
    // Refused by the protocol, since it accepts no stream.
    assert.equal((await send(hello, { accept: 'application/json' })).status, 406);
    assert.deepEqual(served.host.agents(), []);
  });

  it('ends the session that was not used for longest when there are too many, and those that are idle', async () => {
    served = await serveAgents(
      {},
      { sessions: { sessions: 2, sessionsOfClient: 2, idleMs: 600_000, requestsAtOnce: 4 } },
    );
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) ids.push(String((await send(hello)).headers['mcp-session-id']));
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    const status = async (id: string | undefined): Promise<number> =>
      (await send(ping, { 'mcp-session-id': String(id) })).status;
    assert.equal(await status(ids[0]), 404);
    assert.equal(await status(ids[2]), 200);
    served.host.endIdleSessions(Date.now());
    assert.equal(await status(ids[1]), 200);
    served.host.endIdleSessions(Date.now() + 3_600_000);
    assert.equal(await status(ids[1]), 404);
    assert.equal(await status(ids[2]), 404);
  });

  describe('by a client that begins one session after the other (I11)', () => {
    const limits = { sessions: { sessions: 6, sessionsOfClient: 3, idleMs: 600_000, requestsAtOnce: 4 } };
    const named = (name: string) => ({ ...hello, params: { ...hello.params, clientInfo: { name, version: '1' } } });
    const begin = async (name: string): Promise<string> => String((await send(named(name))).headers['mcp-session-id']);
    const status = async (id: string): Promise<number> =>
      (await send({ jsonrpc: '2.0', id: 2, method: 'ping' }, { 'mcp-session-id': id })).status;

    it('ends its own, and nobody else’s', async () => {
      served = await serveAgents({}, limits);
      const others = [await begin('quiet'), await begin('calm')];
      const ids: string[] = [];
      for (let count = 0; count < 20; count += 1) ids.push(await begin('greedy'));
      for (const id of others) assert.equal(await status(id), 200);
      assert.deepEqual(await Promise.all(ids.map(status)), [...Array<number>(17).fill(404), 200, 200, 200]);
    });

    it('begins no more than it may also when all come at once', async () => {
      served = await serveAgents({}, limits);
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(named('greedy'))));
      const ids = answers.flatMap(({ headers }) => [headers['mcp-session-id'] ?? []].flat());
      const alive = (await Promise.all(ids.map(status))).filter((code) => code === 200);
      assert.ok(alive.length <= 3, String(alive.length));
    });

    it('ends one of who has the most when there are too many in all', async () => {
      served = await serveAgents({}, limits);
      const quiet = await begin('quiet');
      const greedy = [await begin('greedy'), await begin('greedy'), await begin('greedy')];
      const rest = [await begin('calm'), await begin('calm'), await begin('late')];
      for (const id of [quiet, ...rest, ...greedy.slice(1)]) assert.equal(await status(id), 200);
      assert.equal(await status(greedy[0] ?? ''), 404);
    });

    it('ends none that is busy: the client is told to wait when it has no others', async () => {
      const go = signalled();
      const asked = { count: 0, all: signalled() };
      served = await serveAgents(
        {
          syncStatus: async () => {
            asked.count += 1;
            if (asked.count === 3) asked.all.settle();
            await go.promise;
            return emptySync;
          },
        },
        limits,
      );
      const ids = [await begin('greedy'), await begin('greedy'), await begin('greedy')];
      const call = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'sync_status', arguments: {} } };
      const busy = ids.map((id) => send(call, { 'mcp-session-id': id }));
      await asked.all.promise;
      isBare(await send(named('greedy')), 429);
      assert.equal((await send(named('quiet'))).status, 200);
      go.settle();
      for (const answer of await Promise.all(busy)) assert.match(answer.body, /"id":3/);
      assert.equal((await send(named('greedy'))).status, 200);
    });
  });

  it('cuts a body that is too long without reading it, whether its length is said or not', async () => {
    served = await serveAgents();
    const { port } = served.http;
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const length = 50 * 1024 * 1024;
    assert.match(await raw((socket) => socket.write(`${head}Content-Length: ${length}\r\n\r\n`)), /^HTTP\/1\.1 413 /);
    let written = 0;
    const piece = Buffer.alloc(64 * 1024, 0x20);
    const answer = await raw((socket) => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      const next = (): void => {
        if (socket.destroyed || written >= length) return;
        written += piece.length;
        socket.write(`${piece.length.toString(16)}\r\n`);
        socket.write(piece);
        if (socket.write('\r\n')) setImmediate(next);
        else socket.once('drain', next);
      };
      next();
    });
    // Whether the answer arrives depends on what of the rest is still under way.
    assert.match(answer, /^(HTTP\/1\.1 413 |$)/);
    assert.ok(written < length, 'all of it was taken');
  });

  it('cuts a client whose headers do not end, or are too many', async () => {
    served = await serveAgents();
    const bomb = await raw((socket) => {
      socket.write(`GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${served.http.port}\r\n`);
      for (let count = 0; count < 2000 && !socket.destroyed; count += 1)
        socket.write(`X-${count}: ${'x'.repeat(100)}\r\n`);
    });
    assert.match(bomb, /^(HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n)?$/);
  });

  it('cuts a client that says nothing, stops within its headers, or sends its body too slowly', async () => {
    served = await serveAgents({}, { http: { headersMs: 200, requestMs: 400 } });
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${served.http.port}\r\nAuthorization: Bearer ${token}\r\n`;
    const answers = await Promise.all([
      raw(() => undefined),
      raw((socket) => socket.write(head)),
      raw((socket) => socket.write(`${head}Content-Length: 100\r\n\r\n{`)),
    ]);
    for (const answer of answers) assert.doesNotMatch(answer, /^HTTP\/1\.1 200/);
  });

  it('cuts a client that does not read its answer', async () => {
    const rows = [['x'.repeat(64 * 1024 * 1024)]];
    served = await serveAgents(
      {
        queryDatabase: async (params) => ({
          resolution: resolvedAs(params),
          result: { columns: [], rows, truncated: false, truncatedBy: null, durationMs: 1 },
        }),
      },
      { http: { silentMs: 300 } },
    );
    const agent = new RawAgent({ url: served.url, token });
    await agent.begin();
    const body = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
      params: { name: 'query_database', arguments: { sql: 'select 1', project: 'shop' } },
    });
    const sent = request(served.url, {
      method: 'POST',
      agent: false,
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': agent.sessionId,
      },
    });
    const lost = once(sent, 'close');
    sent.on('error', () => undefined).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    // Counted until its answer was sent or its connection has gone.
    await served.calls.quiet(600_000);
    let length = 0;
    response.on('data', (piece: Buffer) => (length += piece.length));
    await lost;
    assert.ok(length < rows.join().length, 'all of it arrived');
    assert.equal(await agent.end(), 200);
  });

  it('goes on for others meanwhile, and cancels what a client cancels', async () => {
    const asked = signalled();
    const cancelled = signalled();
    served = await serveAgents({
      queryDatabase: async (_params, signal) => {
        signal?.addEventListener('abort', cancelled.settle);
        asked.settle();
        await cancelled.promise;
        throw new Error('cancelled');
      },
    });
    const [one, other] = [await attach(served.url), await attach(served.url)];
    const stop = new AbortController();
    const query = one
      .callTool({ name: 'query_database', arguments: { sql: 'select 1', project: 'shop' } }, undefined, {
        signal: stop.signal,
      })
      .catch((error: unknown) => error);
    await asked.promise;
    assert.equal((await call(other, 'resolve_project', { project: 'shop' })).isError, false);
    stop.abort('enough');
    await cancelled.promise;
    assert.match(String(await query), /enough/);
    await Promise.all([one.close(), other.close()]);
  });

  it('tells what takes long to a client that wants to know', async () => {
    served = await serveAgents({
      createProject: async ({ name }, onStep) => {
        for (const step of ['registering', 'creating']) onStep?.(step);
        return resolvedAs({ project: name });
      },
    });
    const client = await attach(served.url);
    const heard: string[] = [];
    await client.callTool({ name: 'create_project', arguments: { name: 'new' } }, undefined, {
      onprogress: ({ progress, message }) => heard.push(`${progress} ${message ?? ''}`),
    });
    assert.deepEqual(heard, ['1 creating project new and its database', '2 registering', '3 creating']);
    await client.close();
  });

  it('sends the head of an answer that takes long ahead of it', async () => {
    const go = signalled();
    served = await serveAgents({ syncStatus: () => go.promise.then(() => emptySync) });
    const agent = new RawAgent({ url: served.url, token });
    await agent.begin();
    const response = await fetch(served.url, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': agent.sessionId,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'sync_status' } }),
    });
    assert.equal(response.status, 200);
    go.settle();
    assert.match(await response.text(), /"id":7/);
  });

  it('lets what runs be answered when the daemon leaves', async () => {
    const asked = signalled();
    const go = signalled();
    served = await serveAgents({
      syncStatus: async () => {
        asked.settle();
        await go.promise;
        return (await import('../cli/fakeCli.ts')).emptySync;
      },
    });
    const client = await attach(served.url);
    const answer = call(client, 'sync_status');
    await asked.promise;
    await served.host.pause();
    const quiet = served.calls.quiet(60_000);
    go.settle();
    await quiet;
    await served.close();
    assert.equal((await answer).isError, false);
    await client.close();
    served = await serveAgents();
  });
});
