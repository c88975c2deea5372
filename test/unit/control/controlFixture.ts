import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { ControlHandlers } from '../../../daemon/control/clientConnection.ts';
import { ControlServer } from '../../../daemon/control/controlServer.ts';
import type { DialOptions } from '../../../daemon/client/dialDaemon.ts';
import { RunningCalls } from '../../../daemon/engine/runningCalls.ts';
import { newNonce, proofOf } from '../../../daemon/wire/proof.ts';
import { rpcOver } from '../../../daemon/wire/rpcOver.ts';
import {
  protocolVersion,
  wire,
  type ClientKind,
  type HelloResult,
  type Snapshot,
} from '../../../daemon/protocol/control.ts';
import { controlMethods } from '../../../daemon/protocol/methods.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import type { WindowSettings } from '../../../daemon/protocol/settings.ts';
import { answering } from '../../support/fakeOperations.ts';
import { daemonStatus, emptySync, resolved, shop } from '../cli/fakeCli.ts';

export const token = 'ab'.repeat(32);

/** Handlers that answer at once with something; a test replaces those that it is about. */
export function handlers(changes: Partial<ControlHandlers> = {}): ControlHandlers {
  return answering<ControlHandlers>(controlMethods, {
    server: async () => ({ address: 'localhost:5432', source: 'file' }),
    resolve: async () => resolved,
    listProjects: async () => ({ projects: [shop], nextCursor: null }),
    unusedProjects: async () => ({ projects: [], sizesMissing: null }),
    listEvents: async () => ({ events: [], truncated: false, missing: null }),
    showProject: async () => shop,
    createProject: async () => resolved,
    updateProject: async () => resolved,
    adoptDatabase: async () => resolved,
    forgetProject: async () => {
      throw new RegistrarError({ code: 'PROJECT_NOT_FOUND', message: 'No such project.', hint: 'List them.' });
    },
    remakeProject: async () => resolved,
    useProject: async () => resolved,
    removeBinding: async () => resolved,
    connection: async () => ({ resolution: resolved, environment: null }),
    describeDatabase: async () => ({ resolution: resolved, description: null }),
    queryDatabase: async () => ({ resolution: resolved, result: null }),
    syncStatus: async () => emptySync,
    syncNow: async () => emptySync,
    dropProject: async () => ({ project: shop, databaseName: shop.databaseName }),
    drift: async () => ({ planId: 'p', ok: true, findings: [] }),
    repair: async () => ({ planId: 'p', applied: [], skipped: [], failed: [] }),
    status: async () => daemonStatus,
    setFolders: async () => null,
    checkConfig: async () => [],
    look: async () => null,
    changeAddress: async () => ({ server: null, error: null, leftBehind: [] }),
    tryAddress: async ({ url }) => ({
      url: url ?? 'postgresql://localhost',
      address: 'localhost:5432',
      password: null,
      version: '18.4',
      role: 'a',
      mayCreateDatabases: true,
    }),
    savePassword: async () => ({ path: '/home/a/.pgpass' }),
    rotateToken: async () => ({ url: null }),
    mcpAddress: async () => ({ url: 'http://127.0.0.1:1/mcp', token }),
    connections: async () => [],
    planConnection: async () => {
      throw new RegistrarError({ code: 'INVALID_ARGUMENT', message: 'No such agent.', hint: 'List them.' });
    },
    connectAgent: async () => 'written',
    disconnectAgent: async () => 'removed',
    drain: async () => null,
    ...changes,
  });
}

/** A control server on a socket of its own, and what dials it. */
export class ControlFixture {
  folder = '';
  pipe = '';
  control: ControlServer | null = null;
  /** How many snapshots were made. */
  snapshots = 0;
  /** What windows brought. */
  readonly kept: WindowSettings[] = [];
  readonly calls = new RunningCalls();
  #listener: Server | null = null;
  readonly #sockets = new Set<Socket>();

  async open(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'registrar-control-'));
    this.pipe = join(this.folder, 'daemon.sock');
  }

  async serve(changes: Partial<ControlHandlers> = {}, version = '1.0.0', knownToken = token): Promise<ControlServer> {
    const control = new ControlServer({
      version,
      token: async () => knownToken,
      handlers: handlers(changes),
      running: (work) => this.calls.run(work),
      snapshot: (client, revision): Snapshot => {
        this.snapshots += 1;
        return {
          revision,
          daemon: { version, pid: 1, started: daemonStatus.started },
          server: null,
          error: null,
          folders: client.folders.map((folder) => ({ ...folder, resolution: null, database: null })),
          projects: null,
          sync: null,
          agents: [],
          mcp: null,
        };
      },
      keepSettings: async (settings) => {
        this.kept.push(settings);
      },
      openAgentStream: async () => undefined,
      onAttached: () => undefined,
      onActivity: () => undefined,
    });
    this.control = control;
    await this.listen((socket) => {
      control.accept(socket);
    });
    return control;
  }

  /** Anything may answer at the pipe. */
  async listen(onConnection: (socket: Socket) => void): Promise<void> {
    this.#listener = createServer((socket) => {
      this.#sockets.add(socket);
      onConnection(socket.on('error', () => undefined));
    }).listen(this.pipe);
    await once(this.#listener, 'listening');
  }

  /** What clients say from now on stays unread. */
  stopReading(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  /** Settles when everyone has left whom the server served, but for so many. */
  async untilOnly(count: number): Promise<void> {
    for (;;) {
      const open = [...this.#sockets].filter(({ closed }) => !closed);
      if (open.length <= count) return;
      await Promise.race(open.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    }
  }

  /** As when the process ends. */
  async end(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    if (listener) await new Promise((resolve) => listener.close(resolve));
  }

  async close(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A client that proves itself, and then does what a test makes it do. */
  async rawClient(kind: ClientKind): Promise<{ socket: Socket; rpc: MessageConnection }> {
    const socket = connect(this.pipe);
    const rpc = rpcOver(socket, () => undefined);
    rpc.listen();
    const nonce = newNonce();
    const hello = await rpc.sendRequest<HelloResult>(wire.hello, { nonce });
    const proof = proofOf(token, 'client', hello.nonce, nonce);
    await rpc.sendRequest(wire.initialize, { ...this.dialOptions().client, kind, protocol: protocolVersion, proof });
    return { socket, rpc };
  }

  dialOptions(changes: Partial<DialOptions> = {}): DialOptions {
    return {
      pipe: this.pipe,
      token: async () => token,
      client: {
        kind: 'command',
        version: '1.0.0',
        pid: process.pid,
        folders: [],
        address: { url: null, source: 'environment', variables: {} },
      },
      // A machine may stall for seconds.
      limits: { handshakeMs: 30_000, silenceMs: 30_000 },
      ...changes,
    };
  }
}

/** A message as it crosses the pipe. */
export function frame(message: unknown): Buffer {
  const text = JSON.stringify(message);
  return Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}
