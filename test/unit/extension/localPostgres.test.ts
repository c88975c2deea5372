import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { isContainer, speaksPostgres } from '../../../extension/localPostgres.ts';

async function answering(answer: (socket: Socket) => void, limitMs: number): Promise<boolean> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await speaksPostgres('127.0.0.1', (server.address() as AddressInfo).port, limitMs);
  } finally {
    server.close();
  }
}

describe('a PostgreSQL on this machine', () => {
  it('is found by the one byte that it answers, with TLS or without', async () => {
    for (const byte of ['S', 'N']) {
      assert.equal(await answering((socket) => socket.once('data', () => socket.write(byte)), 30_000), true);
    }
  });

  it('is not what says something else, hangs up or is not there', async () => {
    assert.equal(await answering((socket) => socket.write('HTTP/1.1 400 Bad Request'), 30_000), false);
    assert.equal(await answering((socket) => socket.end(), 30_000), false);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await speaksPostgres('127.0.0.1', port, 30_000), false);
  });

  it('is not waited for when nothing is said', async () => {
    assert.equal(await answering(() => undefined, 20), false);
  });
});

describe('a machine that is thrown away', () => {
  it('is known by its mark, by its environment or by how VS Code came there', () => {
    assert.equal(isContainer({}, undefined, false), false);
    assert.equal(isContainer({}, 'ssh-remote', false), false);
    assert.equal(isContainer({}, undefined, true), true);
    assert.equal(isContainer({ CODESPACES: 'true' }, undefined, false), true);
    assert.equal(isContainer({ REMOTE_CONTAINERS: 'true' }, undefined, false), true);
    assert.equal(isContainer({}, 'dev-container', false), true);
  });
});
