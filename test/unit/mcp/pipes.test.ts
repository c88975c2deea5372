import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { MessageLines } from '../../../daemon/mcp/forwarder/messageLines.ts';
import { resolvedAs, serveAgents, type ServedAgents } from './agentFixture.ts';

describe('agents that come through a forwarder', function () {
  this.timeout(60_000);
  const calls = 400;
  const value = 'x'.repeat(256 * 1024);
  let served: ServedAgents;
  let agent: Socket;
  let asked = 0;
  let unread = 0;

  before(async () => {
    served = await serveAgents({
      queryDatabase: async (params) => {
        asked += 1;
        unread = Math.max(unread, asked * value.length - agent.bytesRead);
        const result = { columns: [], rows: [[value]], truncated: false, truncatedBy: null, durationMs: 1 };
        return { resolution: resolvedAs(params), result };
      },
    });
    const name = `registrar-pipes-${randomUUID()}`;
    const path = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name);
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      server.close();
      void served.host.attach(socket, null);
    });
    server.listen(path);
    await once(server, 'listening');
    agent = connect(path);
    await once(agent, 'connect');
  });
  after(async () => {
    agent.destroy();
    await served.close();
  });

  it('are asked nothing more while they do not read, and lose nothing', async () => {
    const send = (message: object): boolean => agent.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: 'pipe', version: '1' };
    send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
    send({ method: 'notifications/initialized' });
    // Long enough that not many are read at once.
    const sql = `select 1 /* ${'-'.repeat(8192)} */`;
    for (let id = 1; id <= calls; id += 1) {
      send({ id, method: 'tools/call', params: { name: 'query_database', arguments: { sql, project: 'shop' } } });
    }
    const answered: unknown[] = [];
    const lines = new MessageLines(16 * 1024 * 1024);
    while (answered.length <= calls) {
      // One piece, then something else first: the other side is always faster.
      agent.resume();
      const [piece] = (await once(agent, 'data')) as [Buffer];
      agent.pause();
      for (const line of lines.push(piece)) answered.push((JSON.parse(line.toString('utf8')) as { id: unknown }).id);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(
      answered,
      Array.from({ length: calls + 1 }, (_, id) => id),
    );
    const held = Math.round(unread / value.length);
    assert.ok(held < calls / 4, `${held} answers were held at once`);
  });
});
