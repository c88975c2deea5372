import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { leavingLine, repeatableTools } from '../../protocol/agentStream.ts';
import { RegistrarError, type ErrorReport } from '../../protocol/registrarError.ts';
import { bind, type Binding } from '../bindings.ts';
import { MessageLines } from './messageLines.ts';
import { readMessage, type WireMessage } from './wireMessage.ts';
import { withLimit } from '../../time/withLimit.ts';

export interface ForwarderOptions {
  /** The agent's messages, one per line. */
  input: Readable;
  output: Writable;
  /** A connection to the daemon that carries messages. Throws RegistrarError when there is none to be had. */
  dial(): Promise<Duplex>;
  maxMessageBytes: number;
  /** How long an agent that has ended its input waits for what it asked, ms. */
  lingerMs: number;
}

interface Asked {
  message: Extract<WireMessage, { kind: 'request' }>;
  line: Buffer;
  /** Daemons that it was sent to. */
  sent: number;
}

/** A request that this many daemons were lost under is not tried on another. */
const maxSent = 3;

/**
 * Carries messages between an agent and the daemon, bytes untouched and in order. When the daemon goes, the next message
 * finds its successor: the agent's own `initialize` is repeated there and so are its bindings, and what was asked and not
 * answered is asked again if that does no harm.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  #connection: Duplex | null = null;
  #connecting: Promise<Duplex> | null = null;
  #initialize: { line: Buffer; isAnswered: boolean; version: string | null } | null = null;
  #initialized: Buffer | null = null;
  /** The bindings of the agent's session, and the calls that made them. */
  #bindings: readonly (Binding & { line: Buffer })[] = [];
  readonly #asked = new Map<string, Asked>();
  /** Who waits for answers to what this forwarder asked by itself. */
  readonly #own = new Map<string, (answer: Buffer) => void>();
  /** Requests from the daemon that the agent has not answered. If that daemon has gone, nobody needs the answer. */
  readonly #daemonAsked = new Map<string, { open: number; lost: number }>();
  #hasLeft = false;
  #whenQuiet: (() => void) | null = null;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Resolves when the agent has ended, everything it asked answered. */
  async run(): Promise<void> {
    const { input, output, maxMessageBytes, lingerMs } = this.#options;
    const ended = new Promise<void>((resolve) => {
      output.once('error', resolve).once('close', resolve);
    });
    const reading = (async () => {
      const lines = new MessageLines(maxMessageBytes);
      for await (const piece of input as AsyncIterable<Buffer>) {
        for (const line of lines.push(piece)) await this.#fromAgent(line);
      }
      const rest = lines.rest();
      if (rest) await this.#fromAgent(rest);
      await this.#quiet(lingerMs);
    })();
    try {
      await Promise.race([reading, ended]);
    } finally {
      this.#connection?.destroy();
      this.#connection = null;
    }
  }

  async #fromAgent(line: Buffer): Promise<void> {
    const message = readMessage(line);
    if (message.kind === 'answer' && this.#isForLost(message.id)) return;
    let connection: Duplex;
    try {
      connection = await this.#connected();
    } catch (error) {
      if (message.kind === 'request') this.#answer(message, error);
      return;
    }
    if (message.kind === 'request') {
      this.#asked.set(message.id, { message, line, sent: 1 });
      if (message.method === 'initialize') this.#initialize = { line, isAnswered: false, version: null };
    } else if (message.kind === 'notification') {
      if (message.method === 'notifications/initialized') this.#initialized = line;
      // It gets no answer any more.
      if (message.method === 'notifications/cancelled' && message.cancelled !== null) this.#settle(message.cancelled);
    }
    if (!connection.write(line)) await drained(connection);
  }

  #connected(): Promise<Duplex> {
    if (this.#connection) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Connects, and brings a new daemon to the state of the former one. */
  async #connect(): Promise<Duplex> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#options.dial();
      this.#hasLeft = false;
      const lost = new Promise<'lost'>((resolve) => {
        connection.once('close', () => {
          resolve('lost');
        });
      });
      this.#read(connection);
      if ((await Promise.race([this.#replay(connection), lost])) !== 'lost') {
        this.#connection = connection;
        connection.once('close', () => {
          this.#onLost(connection);
        });
        if (connection.destroyed) this.#onLost(connection);
        for (const asked of this.#asked.values()) {
          asked.sent += 1;
          connection.write(asked.line);
        }
        return connection;
      }
      this.#loseDaemonsRequests();
      if (attempt === maxSent) throw unreachable('It disconnected every time.');
    }
  }

  async #replay(connection: Duplex): Promise<void> {
    const initialize = this.#initialize;
    if (!initialize?.isAnswered) return;
    const version = versionIn(await this.#askOwn(connection, initialize.line));
    if (this.#initialized) connection.write(this.#initialized);
    // The agent read the tools of the former version.
    if (version !== initialize.version) this.#options.output.write(toolsChanged);
    initialize.version = version;
    let number = 0;
    for (const { line } of this.#bindings) {
      number += 1;
      const call = JSON.parse(line.toString('utf8')) as Record<string, unknown>;
      const own = JSON.stringify({ ...call, id: `registrar-rebind-${number}` });
      await this.#askOwn(connection, Buffer.from(`${own}\n`));
    }
  }

  async #askOwn(connection: Duplex, line: Buffer): Promise<Buffer | null> {
    const message = readMessage(line);
    if (message.kind !== 'request') return null;
    return new Promise<Buffer>((resolve) => {
      this.#own.set(message.id, resolve);
      connection.write(line);
    });
  }

  #read(connection: Duplex): void {
    const lines = new MessageLines(this.#options.maxMessageBytes);
    for (const event of ['error', 'end']) {
      connection.on(event, () => {
        connection.destroy();
      });
    }
    connection.on('data', (piece: Buffer) => {
      try {
        for (const line of lines.push(piece)) this.#fromDaemon(line, connection);
      } catch {
        connection.destroy();
      }
    });
    // The former reader has paused it.
    connection.resume();
  }

  #fromDaemon(line: Buffer, connection: Duplex): void {
    if (line.equals(leaving)) {
      this.#hasLeft = true;
      return;
    }
    const message = readMessage(line);
    if (message.kind === 'answer') {
      const own = this.#own.get(message.id);
      if (own) {
        this.#own.delete(message.id);
        own(line);
        return;
      }
      this.#noteAnswer(message, line);
    } else if (message.kind === 'request') {
      const known = this.#daemonAsked.get(message.id) ?? { open: 0, lost: 0 };
      this.#daemonAsked.set(message.id, { ...known, open: known.open + 1 });
    }
    const { output } = this.#options;
    if (output.write(line)) return;
    connection.pause();
    output.once('drain', () => connection.resume());
  }

  #noteAnswer({ id, code, projectId }: Extract<WireMessage, { kind: 'answer' }>, answer: Buffer): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    const { message, line } = asked;
    if (message.method === 'initialize' && this.#initialize) {
      this.#initialize = { ...this.#initialize, isAnswered: true, version: versionIn(answer) };
    }
    const isBound =
      message.tool === 'set_working_directory' && code !== 'DIRECTORY_INVALID' && code !== 'INVALID_ARGUMENT';
    if (isBound && typeof message.directory === 'string') {
      const project = projectId === null ? null : { id: projectId };
      this.#bindings = bind(this.#bindings, { directory: message.directory, project, line });
    }
    this.#settle(id);
  }

  #onLost(connection: Duplex): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#loseDaemonsRequests();
    for (const { message, sent } of [...this.#asked.values()]) {
      const isRepeatable = this.#hasLeft || message.tool === null || repeatableTools.includes(message.tool);
      if (!isRepeatable || sent >= maxSent) this.#answer(message, lostUnder(message));
    }
    // A forwarder without a request does not restart a daemon that somebody stopped.
    if (this.#asked.size === 0) return;
    this.#connected().catch((error: unknown) => {
      for (const { message } of [...this.#asked.values()]) this.#answer(message, error);
    });
  }

  #loseDaemonsRequests(): void {
    this.#own.clear();
    for (const [id, { open, lost }] of this.#daemonAsked) this.#daemonAsked.set(id, { open: 0, lost: lost + open });
  }

  /** Counts an answer of the agent; true for one whose daemon has gone. */
  #isForLost(id: string): boolean {
    const known = this.#daemonAsked.get(id);
    if (!known) return false;
    const isLost = known.lost > 0;
    const left = isLost ? { ...known, lost: known.lost - 1 } : { ...known, open: known.open - 1 };
    if (left.open + left.lost <= 0) this.#daemonAsked.delete(id);
    else this.#daemonAsked.set(id, left);
    return isLost;
  }

  #answer(message: Extract<WireMessage, { kind: 'request' }>, error: unknown): void {
    const report = notAnswered(error);
    const { code, message: what, hint } = report;
    const text = `${code}: ${what} ${hint}`;
    const answer =
      message.tool === null
        ? { error: { code: serverError, message: text, data: report } }
        : { result: { content: [{ type: 'text', text }], structuredContent: { error: report }, isError: true } };
    this.#options.output.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.rawId, ...answer })}\n`);
    this.#settle(message.id);
  }

  #settle(id: string): void {
    this.#asked.delete(id);
    if (this.#asked.size === 0) this.#whenQuiet?.();
  }

  async #quiet(limitMs: number): Promise<void> {
    if (this.#asked.size === 0) return;
    const quiet = new Promise<void>((resolve) => (this.#whenQuiet = resolve));
    await withLimit(limitMs, quiet, () => undefined);
  }
}

/** JSON-RPC's range for a server's own errors. */
const serverError = -32000;

const leaving = Buffer.from(leavingLine);

const toolsChanged = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n`;

/** The daemon's version in its answer to `initialize`; null when it says none. */
function versionIn(answer: Buffer | null): string | null {
  const { result } = JSON.parse(answer?.toString('utf8') ?? '{}') as { result?: { serverInfo?: { version?: string } } };
  return result?.serverInfo?.version ?? null;
}

async function drained(stream: Duplex): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  stop.abort();
}

/** Not `reportOf`: the request is not at fault if the daemon could not be reached, so an agent may repeat it. */
function notAnswered(error: unknown): ErrorReport {
  if (error instanceof RegistrarError) return error.toReport();
  return unreachable(error instanceof Error ? error.message : String(error)).toReport();
}

function unreachable(reason: string): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: `The daemon cannot be reached. ${reason}`,
    hint: 'Try again; if it keeps failing, tell the user to run: registrar status',
  });
}

function lostUnder({ tool, method }: Extract<WireMessage, { kind: 'request' }>): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: `The daemon stopped before it answered; whether ${tool ?? method} was done is not known.`,
    hint: 'Check the current state (list_projects), then call it again if necessary.',
  });
}
