import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { workingDirectory } from '../../../../daemon/engine/forwardAgent.ts';
import { Forwarder } from '../../../../daemon/mcp/forwarder/forwarder.ts';
import { leavingLine } from '../../../../daemon/protocol/agentStream.ts';
import { RegistrarError } from '../../../../daemon/protocol/registrarError.ts';

type Message = Record<string, unknown>;

/** Lines of a stream, given one by one as they are asked for. */
class Lines {
  readonly #waiting: string[] = [];
  #asked: ((line: string) => void) | null = null;

  constructor(stream: PassThrough) {
    let text = '';
    stream.setEncoding('utf8').on('data', (piece: string) => {
      const parts = (text + piece).split('\n');
      text = parts.pop() ?? '';
      for (const line of parts) {
        const asked = this.#asked;
        this.#asked = null;
        if (asked) asked(line);
        else this.#waiting.push(line);
      }
    });
  }

  next(): Promise<string> {
    const line = this.#waiting.shift();
    return line === undefined ? new Promise((resolve) => (this.#asked = resolve)) : Promise.resolve(line);
  }

  async message(): Promise<Message> {
    return JSON.parse(await this.next()) as Message;
  }
}

/** One daemon's end of a connection. */
class FakeDaemon {
  readonly connection: Duplex;
  readonly heard: Lines;
  readonly #out = new PassThrough();

  constructor() {
    const input = new PassThrough();
    this.heard = new Lines(input);
    this.connection = Duplex.from({ writable: input, readable: this.#out });
  }

  say(message: Message | string): void {
    this.#out.write(typeof message === 'string' ? message : `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  leave(): void {
    this.#out.end(leavingLine);
  }

  die(): void {
    this.connection.destroy();
  }
}

describe('the forwarder of an agent', function () {
  this.timeout(30_000);

  /** An agent at one end; daemons come in the order in which they are dialled. */
  class Setup {
    readonly input = new PassThrough();
    readonly output = new PassThrough();
    readonly agent = new Lines(this.output);
    readonly daemons: FakeDaemon[] = [];
    failure: RegistrarError | null = null;
    readonly #comers: ((daemon: FakeDaemon) => void)[] = [];
    #taken = 0;
    readonly ended = new Forwarder({
      input: this.input,
      output: this.output,
      maxMessageBytes: 1_000_000,
      lingerMs: 20_000,
      dial: async () => {
        if (this.failure) throw this.failure;
        const daemon = new FakeDaemon();
        this.daemons.push(daemon);
        this.#comers.shift()?.(daemon);
        return daemon.connection;
      },
    }).run();

    /** The next daemon that is dialled. */
    daemon(): Promise<FakeDaemon> {
      const daemon = this.daemons[this.#taken];
      this.#taken += 1;
      return daemon ? Promise.resolve(daemon) : new Promise((resolve) => this.#comers.push(resolve));
    }

    send(message: Message): void {
      this.input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    }

    /** The agent's beginning, answered. */
    async begin(version?: string): Promise<FakeDaemon> {
      this.send({ id: 0, method: 'initialize', params: { clientInfo: { name: 'x' } } });
      const daemon = await this.daemon();
      await daemon.heard.next();
      daemon.say({ id: 0, result: { serverInfo: { version } } });
      await this.agent.next();
      this.send({ method: 'notifications/initialized' });
      await daemon.heard.next();
      return daemon;
    }

    tool(id: number | string, name: string, args: Message = {}): void {
      this.send({ id, method: 'tools/call', params: { name, arguments: args } });
    }

    async end(): Promise<void> {
      this.input.end();
      await this.ended;
    }
  }

  it('carries bytes untouched and in order, both ways, whatever they say', async () => {
    const setup = new Setup();
    const lines = [
      '{"id":1, "method" : "ping"}',
      '{ "größe": "\\u00e9\\ud83d\\ude00" }',
      'no JSON at all',
      '[1,2]',
      '',
    ];
    setup.input.write(`${lines.join('\n')}\n`);
    const daemon = await setup.daemon();
    for (const line of lines) assert.equal(await daemon.heard.next(), line);
    for (const line of ['{"id":1,  "result": {}}', ...lines.slice(1)]) daemon.say(`${line}\n`);
    assert.equal(await setup.agent.next(), '{"id":1,  "result": {}}');
    for (const line of lines.slice(1)) assert.equal(await setup.agent.next(), line);
    await setup.end();
  });

  it('repeats the beginning and the bindings to the next daemon, and swallows the answers', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    for (const [id, directory] of [
      [1, '/w/shop'],
      [2, '/w/gone'],
      [3, '/w/pay'],
      [4, '/w/shop'],
    ] as const) {
      setup.tool(id, 'set_working_directory', { directory });
      await first.heard.next();
      const refused = { isError: true, structuredContent: { error: { code: 'DIRECTORY_INVALID' } } };
      first.say({ id, result: directory === '/w/gone' ? refused : { structuredContent: { error: null } } });
      await setup.agent.next();
    }
    first.die();
    setup.tool(5, 'resolve_project');
    const second = await setup.daemon();
    assert.equal((await second.heard.message())['method'], 'initialize');
    second.say({ id: 0, result: { serverInfo: { other: true } } });
    assert.equal((await second.heard.message())['method'], 'notifications/initialized');
    for (const directory of ['/w/pay', '/w/shop']) {
      const bound = await second.heard.message();
      assert.deepEqual(bound['params'], { name: 'set_working_directory', arguments: { directory } });
      second.say({ id: bound['id'], result: {} });
    }
    assert.equal((await second.heard.message())['id'], 5);
    second.say({ id: 5, result: { fine: true } });
    assert.deepEqual((await setup.agent.message())['id'], 5);
    await setup.end();
  });

  it('repeats an ambiguity, too, however many folders of one project were bound after it', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    const bound = ['/w/pay', ...Array.from({ length: 30 }, (_, number) => `/w/shop/${number}`)];
    for (const [id, directory] of bound.entries()) {
      setup.tool(id, 'set_working_directory', { directory });
      await first.heard.next();
      const project = { id: directory.split('/')[2] };
      first.say({ id, result: { structuredContent: { project, error: null } } });
      await setup.agent.next();
    }
    first.die();
    setup.tool('last', 'sync_status');
    const second = await setup.daemon();
    await second.heard.next();
    second.say({ id: 0, result: {} });
    await second.heard.next();
    const repeated: unknown[] = [];
    for (;;) {
      const message = await second.heard.message();
      if (message['id'] === 'last') break;
      repeated.push((message['params'] as { arguments: { directory: string } }).arguments.directory);
      second.say({ id: message['id'], result: {} });
    }
    assert.deepEqual(repeated, ['/w/pay', ...bound.slice(-19)]);
    second.say({ id: 'last', result: {} });
    await setup.agent.next();
    await setup.end();
  });

  it('tells the agent that the tools may be others when the next daemon is of another version, and only then', async () => {
    const setup = new Setup();
    let daemon = await setup.begin('1.0.0');
    for (const [id, version, isOther] of [
      [1, '1.0.0', false],
      [2, '1.1.0', true],
      [3, '1.1.0', false],
    ] as const) {
      daemon.die();
      setup.tool(id, 'resolve_project');
      daemon = await setup.daemon();
      await daemon.heard.next();
      daemon.say({ id: 0, result: { serverInfo: { version } } });
      await daemon.heard.next();
      await daemon.heard.next();
      daemon.say({ id, result: {} });
      if (isOther) {
        const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
        assert.deepEqual(await setup.agent.message(), changed);
      }
      assert.equal((await setup.agent.message())['id'], id);
    }
    await setup.end();
  });

  it('asks again what does no harm, and answers what might with an error that says so', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    setup.tool('a', 'query_database');
    setup.tool('b', 'create_project', { name: 'x' });
    setup.send({ id: 'c', method: 'tools/list' });
    for (let count = 0; count < 3; count += 1) await first.heard.next();
    first.die();
    const lost = await setup.agent.message();
    assert.equal(lost['id'], 'b');
    const result = lost['result'] as {
      isError: boolean;
      structuredContent: { error: { code: string; message: string } };
    };
    assert.equal(result.isError, true);
    assert.equal(result.structuredContent.error.code, 'DAEMON_UNREACHABLE');
    assert.match(result.structuredContent.error.message, /whether create_project was done is not known/);
    const second = await setup.daemon();
    await second.heard.next();
    second.say({ id: 0, result: {} });
    await second.heard.next();
    for (const id of ['a', 'c']) {
      assert.equal((await second.heard.message())['id'], id);
      second.say({ id, result: {} });
      assert.equal((await setup.agent.message())['id'], id);
    }
    await setup.end();
  });

  it('does not ask for a new name again: the old one may be another project’s by now', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    setup.tool(1, 'update_project', { project: 'shop', name: 'web shop' });
    await first.heard.next();
    first.die();
    const lost = await setup.agent.message();
    assert.equal(lost['id'], 1);
    assert.match(JSON.stringify(lost['result']), /whether update_project was done is not known/);
    await setup.end();
  });

  it('asks everything again that a daemon had not begun when it left in order', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    setup.tool(1, 'create_project', { name: 'x' });
    await first.heard.next();
    first.leave();
    const second = await setup.daemon();
    await second.heard.next();
    second.say({ id: 0, result: {} });
    await second.heard.next();
    assert.equal((await second.heard.message())['id'], 1);
    second.say({ id: 1, result: {} });
    assert.equal((await setup.agent.message())['id'], 1);
    await setup.end();
  });

  it('gives up a request that three daemons were lost under', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    setup.tool(1, 'resolve_project');
    await first.heard.next();
    let daemon = first;
    for (let count = 0; count < 2; count += 1) {
      daemon.die();
      daemon = await setup.daemon();
      await daemon.heard.next();
      daemon.say({ id: 0, result: {} });
      await daemon.heard.next();
      await daemon.heard.next();
    }
    daemon.die();
    assert.match(JSON.stringify(await setup.agent.message()), /DAEMON_UNREACHABLE/);
    await setup.end();
  });

  it('does not start a daemon again that nobody asks for something', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    const gone = new Promise((resolve) => first.connection.once('close', resolve));
    first.die();
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(setup.daemons.length, 1);
    await setup.end();
  });

  it('answers with what prevents it when there is no daemon to be had, and tries again next time', async () => {
    const setup = new Setup();
    setup.failure = new RegistrarError({ code: 'DAEMON_UNREACHABLE', message: 'It does not start.', hint: 'Look.' });
    setup.send({ id: 0, method: 'initialize' });
    const answer = await setup.agent.message();
    assert.equal(answer['id'], 0);
    assert.match(JSON.stringify(answer['error']), /It does not start/);
    setup.failure = null;
    await setup.begin();
    await setup.end();
  });

  it('keeps the agent’s answer from a daemon that did not ask', async () => {
    const setup = new Setup();
    const first = await setup.begin();
    setup.tool(1, 'resolve_project');
    await first.heard.next();
    first.say({ id: 7, method: 'roots/list' });
    assert.equal((await setup.agent.message())['method'], 'roots/list');
    first.die();
    const second = await setup.daemon();
    await second.heard.next();
    second.say({ id: 0, result: {} });
    await second.heard.next();
    await second.heard.next();
    second.say({ id: 7, method: 'roots/list' });
    await setup.agent.next();
    setup.send({ id: 7, result: { roots: ['for the first'] } });
    setup.send({ id: 7, result: { roots: ['for the second'] } });
    assert.deepEqual((await second.heard.message())['result'], { roots: ['for the second'] });
    second.say({ id: 1, result: {} });
    await setup.agent.next();
    await setup.end();
  });

  it('waits for what was asked when the agent ends its input, and not for what it cancelled', async () => {
    const setup = new Setup();
    const daemon = await setup.begin();
    setup.tool(1, 'resolve_project');
    setup.tool(2, 'query_database');
    setup.send({ method: 'notifications/cancelled', params: { requestId: 2 } });
    // The last line need not end.
    setup.input.end('{"jsonrpc":"2.0","id":3,"method":"ping"}');
    for (let count = 0; count < 4; count += 1) await daemon.heard.next();
    daemon.say({ id: 3, result: {} });
    daemon.say({ id: 1, result: {} });
    await setup.ended;
    assert.equal((await setup.agent.message())['id'], 3);
    assert.equal((await setup.agent.message())['id'], 1);
  });

  it('ends when nobody reads what it writes', async () => {
    const setup = new Setup();
    await setup.begin();
    setup.output.destroy();
    await setup.ended;
  });

  it('works where the command line says, else where the agent’s environment does, else where it was started', () => {
    const isFolder = (path: string): boolean => path.startsWith('/w/');
    const of = (given: string | null, environment: Record<string, string>): string =>
      workingDirectory(given, environment, '/own', isFolder).directory ?? '';
    assert.equal(of('/w/given', { CLAUDE_PROJECT_DIR: '/w/claude' }), '/w/given');
    assert.equal(of(null, { CLAUDE_PROJECT_DIR: '/w/claude', WORKSPACE_FOLDER_PATHS: '/w/cursor' }), '/w/claude');
    assert.equal(of(null, { WORKSPACE_FOLDER_PATHS: '/w/cursor' }), '/w/cursor');
    assert.equal(of(null, { WORKSPACE_FOLDER_PATHS: '["/w/a","/w/b"]' }), '/own');
    assert.equal(of(null, { CLAUDE_PROJECT_DIR: '/gone' }), '/own');
  });
});
