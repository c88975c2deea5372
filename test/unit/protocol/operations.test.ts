import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dialDaemon, type DaemonConnection } from '../../../daemon/client/dialDaemon.ts';
import { remoteApi } from '../../../daemon/client/localDaemon.ts';
import type { Caller } from '../../../daemon/control/clientConnection.ts';
import { engineHandlers } from '../../../daemon/engine/engineHandlers.ts';
import type { Engine } from '../../../daemon/engine/engine.ts';
import { AgentSession } from '../../../daemon/mcp/agentSession.ts';
import { asAgent } from '../../../daemon/mcp/tools/asAgent.ts';
import { toolList } from '../../../daemon/mcp/tools/toolList.ts';
import { repeatableTools } from '../../../daemon/protocol/agentStream.ts';
import { wire } from '../../../daemon/protocol/control.ts';
import {
  agentMethods,
  controlMethods,
  engineMethods,
  factsOf,
  mayRepeat,
  type ControlMethod,
  type RegistrarApi,
} from '../../../daemon/protocol/methods.ts';
import type { ParameterKinds } from '../../../daemon/protocol/operationModel.ts';
import { operationLists } from '../../support/operationLists.ts';
import { resolved } from '../cli/fakeCli.ts';
import { ControlFixture } from '../control/controlFixture.ts';

const samples: { [Kind in keyof ParameterKinds]: ParameterKinds[Kind] } = {
  text: 'a',
  'text?': 'b',
  'text|null': null,
  'text|null?': null,
  'some text': 'c',
  'long text': 'd',
  flag: true,
  'flag?': false,
  'number?': 1,
  'positive number': 2,
  'values?': [3, null],
  folders: [{ path: '/w/shop', trusted: true }],
  postgres: { kind: 'bundled' },
  agent: 'cursor',
  transport: 'http',
  scope: 'user',
};

describe('an operation', () => {
  const fixture = new ControlFixture();
  beforeEach(() => fixture.open());
  afterEach(() => fixture.close());

  const sampleOf = (method: ControlMethod): Record<string, unknown> | undefined => {
    const { params } = factsOf(method);
    if (params === null) return undefined;
    return Object.fromEntries(Object.entries(params).map(([name, kind]) => [name, samples[kind]]));
  };
  const attach = async (): Promise<DaemonConnection> => {
    const dialled = await dialDaemon(fixture.dialOptions());
    assert.equal(dialled.kind, 'attached');
    return dialled.connection;
  };
  /** Somebody who does everything, and keeps what was asked. */
  const recorder = (names: readonly string[], asked: unknown[][]): object =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...given: unknown[]) => {
          asked.push([name, ...given]);
          return Promise.resolve(resolved);
        },
      ]),
    );

  it('crosses the pipe with the parameters of its record, and with no others', async () => {
    const asked: unknown[][] = [];
    await fixture.serve(recorder(controlMethods, asked));
    const connection = await attach();
    const request = (method: ControlMethod, params: unknown): Promise<unknown> =>
      connection.request(method, params as never);
    for (const method of controlMethods) {
      const sample = sampleOf(method);
      await request(method, sample && { ...sample, unknown: 1 });
      assert.deepEqual(asked.at(-1)?.slice(0, 2), [method, sample]);
      for (const [name, kind] of Object.entries(factsOf(method).params ?? {})) {
        const rest = Object.fromEntries(Object.entries(sample ?? {}).filter(([other]) => other !== name));
        if (kind.endsWith('?')) await request(method, rest);
        else await assert.rejects(request(method, rest), { code: 'INVALID_ARGUMENT' }, `${method} without ${name}`);
        await assert.rejects(request(method, { ...rest, [name]: { not: 'this' } }), { code: 'INVALID_ARGUMENT' }, name);
      }
    }
    connection.close();
  });

  it('that a client of version 0.1 asks for by its former name is done', async () => {
    const asked: unknown[][] = [];
    await fixture.serve(recorder(['updateProject'], asked));
    const { socket, rpc } = await fixture.rawClient('command');
    const params = { project: 'shop', name: 'web shop' };
    assert.deepEqual(await rpc.sendRequest(wire.method('renameProject'), params), resolved);
    assert.deepEqual(asked[0]?.slice(0, 2), ['updateProject', params]);
    socket.destroy();
  });

  it('of an engine is part of the API that commands use, by its own name', async () => {
    const asked: unknown[][] = [];
    const call = (...given: unknown[]): Promise<never> => {
      asked.push(given);
      return Promise.resolve(resolved as never);
    };
    const { signal } = new AbortController();
    const api = remoteApi({ call }, { address: 'localhost:5432', source: 'file' });
    const { server, ...calls } = api;
    assert.equal(server().address, 'localhost:5432');
    assert.deepEqual(Object.keys(calls), engineMethods);
    for (const method of engineMethods) {
      const besides = { signal, steps: () => undefined, none: undefined }[factsOf(method).with ?? 'none'];
      await (api[method] as (...given: unknown[]) => Promise<unknown>)(sampleOf(method), besides);
      // Steps are told by notifications of the pipe.
      assert.deepEqual(asked.at(-1), [method, sampleOf(method), besides === signal ? signal : undefined]);
    }
  });

  it('of an engine has windows drawn anew unless it only reads, and hears of steps or of cancelling', async () => {
    const asked: unknown[][] = [];
    const engine = recorder(engineMethods, asked) as Engine;
    const handlers = engineHandlers({
      read: (_caller, run) => (asked.push(['read']), run(engine)),
      change: (_caller, run) => (asked.push(['change']), run(engine)),
    });
    const caller = { progress: () => undefined } as unknown as Caller;
    const { signal } = new AbortController();
    assert.deepEqual(Object.keys(handlers), engineMethods);
    for (const method of engineMethods) {
      const { effect, with: besides } = factsOf(method);
      await (handlers[method] as (...given: unknown[]) => Promise<unknown>)(sampleOf(method), caller, signal);
      const more = { steps: [caller.progress], signal: [signal], none: [] }[besides ?? 'none'];
      assert.deepEqual(asked.splice(0), [
        [effect === 'reads' ? 'read' : 'change'],
        [method, sampleOf(method), ...more],
      ]);
    }
  });

  it('is in an agent’s reach only when it has a tool, and hears of the agent where who asks counts', async () => {
    const asked: unknown[][] = [];
    const all = { ...recorder(engineMethods, asked), server: () => ({ address: 'a', source: 'file' }) } as RegistrarApi;
    const session = new AgentSession('s', null);
    const api = asAgent(all, { session, header: null, home: '/home/a', askRoots: async () => [] });
    const { server: _server, ...calls } = api;
    assert.deepEqual(Object.keys(calls), agentMethods);
    assert.equal('dropProject' in api, false);
    for (const method of agentMethods) {
      await (api[method] as (...given: unknown[]) => Promise<unknown>)(sampleOf(method));
      const [, params] = asked.at(-1) as [string, { agent?: { folders(): Promise<unknown> } } | undefined];
      assert.deepEqual(await params?.agent?.folders(), factsOf(method).judgesAsker ? [] : undefined, method);
    }
  });

  it('says of its tools whether they look, take away, and may be called again', () => {
    const tools = agentMethods.flatMap((method) => (factsOf(method).tools ?? []).map((name) => ({ name, method })));
    const listed = toolList('all');
    assert.deepEqual(listed.map(({ name }) => name).sort(), tools.map(({ name }) => name).sort());
    for (const { name, method } of tools) {
      const { effect, replaces = false } = factsOf(method);
      assert.deepEqual(listed.find((tool) => tool.name === name)?.annotations, {
        readOnlyHint: effect === 'reads',
        destructiveHint: replaces,
        idempotentHint: mayRepeat(method),
        openWorldHint: false,
      });
      assert.equal(repeatableTools.includes(name), mayRepeat(method), name);
    }
  });

  it('is written down once: no file lists operations by hand', () => {
    const files = ['daemon', 'extension', 'scripts'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
    );
    assert.ok(files.length > 200);
    const implementations = ['engineOperations', 'daemonOperations', 'connectionHandlers'].map(
      (name) => `daemon/engine/${name}.ts`,
    );
    // Ids of VS Code's commands, of which some are called as an operation is.
    const others = ['daemon/protocol/operations.ts', 'extension/contributions.ts'];
    const lists = files
      .filter((file) => !others.includes(file))
      .flatMap((file) => operationLists(file, implementations.includes(file)));
    assert.deepEqual(lists, []);
  });
});
