import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { CancellationTokenSource, ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import {
  protocolVersion,
  wire,
  wireErrors,
  type HelloResult,
  type InitializeParams,
  type Leaving,
  type Snapshot,
} from '../protocol/control.ts';
import type { AnswerOf, ControlMethod, ParamsOf } from '../protocol/methods.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import { isProof, newNonce, proofOf } from '../wire/proof.ts';
import { rpcOver } from '../wire/rpcOver.ts';
import { startTimeLimit } from '../time/timeLimit.ts';
import { cutAfter } from '../time/withLimit.ts';

export interface DialOptions {
  pipe: string;
  /** What the endpoint file holds now; null when it holds none that can be trusted. */
  token(): Promise<string | null>;
  client: Omit<InitializeParams, 'proof' | 'protocol'>;
  onSnapshot?: (snapshot: Snapshot) => void;
  onProgress?: (message: string) => void;
  /** The daemon begins to shut down; not called for one that dies. */
  onLeaving?: (leaving: Leaving | undefined) => void;
  limits: DialLimits;
}

export interface DialLimits {
  /** Limit for connecting and both proofs, ms. */
  handshakeMs: number;
  /** A daemon that shows no sign of life for this long during a request counts as unreachable, ms. */
  silenceMs: number;
}

/** How dialling ended. Only `attached` is the daemon; a `stranger` could not prove that it is. */
export type Dialled =
  | { kind: 'attached'; connection: DaemonConnection }
  | { kind: 'absent' }
  | { kind: 'draining' }
  | { kind: 'silent' }
  | { kind: 'stranger'; reason: string }
  | { kind: 'incompatible'; version: string };

/**
 * Why a request got no answer from a handler: the daemon is shutting down and has not begun it, or may have begun it,
 * or hangs.
 */
export class NoAnswer extends Error {
  readonly kind: 'draining' | 'lost' | 'silent';

  constructor(kind: 'draining' | 'lost' | 'silent') {
    super(`no answer: ${kind}`);
    this.kind = kind;
  }
}

export class DaemonConnection {
  readonly version: string;
  readonly pipe: string;
  readonly #closed: Promise<void>;
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;
  readonly #silenceMs: number;
  #hasLeft = false;

  constructor(socket: Socket, rpc: MessageConnection, version: string, pipe: string, silenceMs: number) {
    this.#socket = socket;
    this.#rpc = rpc;
    this.version = version;
    this.pipe = pipe;
    this.#silenceMs = silenceMs;
    rpc.onNotification(wire.left, () => {
      this.#hasLeft = true;
    });
    this.#closed = new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', resolve);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  /**
   * Asks the daemon. However long the answer takes, the daemon has to show that it lives.
   *
   * @param signal cancels it in the daemon; its reason is then thrown
   * @throws RegistrarError of the handler; NoAnswer when there is none
   */
  async request<Method extends ControlMethod>(
    method: Method,
    params: ParamsOf<Method>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<Method>> {
    signal?.throwIfAborted();
    const source = new CancellationTokenSource();
    const cancel = (): void => {
      source.cancel();
    };
    signal?.addEventListener('abort', cancel);
    try {
      return await this.#whileAlive(
        this.#rpc.sendRequest<AnswerOf<Method>>(wire.method(method), params ?? {}, source.token),
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#asFailure(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      source.dispose();
    }
  }

  /**
   * Turns the connection into one that carries an agent's messages, one JSON document per line.
   *
   * @throws RegistrarError DAEMON_VERSION when the daemon knows no agents; NoAnswer
   */
  async openAgentStream(params: AgentStreamParams): Promise<Socket> {
    const cut = (): void => {
      this.close();
    };
    try {
      await cutAfter(this.#silenceMs, cut, () => this.#rpc.sendRequest(wire.agentStream, params));
    } catch (error) {
      throw this.#asFailure(error);
    }
    // From here on it is read by whoever gets it.
    this.#socket.removeAllListeners('data');
    return this.#socket;
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * Waits until a daemon that leaves has gone.
   *
   * @throws NoAnswer `silent` when it hangs instead
   */
  async gone(): Promise<void> {
    await this.#whileAlive(this.#closed);
  }

  /** @throws NoAnswer `silent` when the daemon shows no sign of life */
  async #whileAlive<T>(answer: Promise<T>): Promise<T> {
    let stop = (): void => undefined;
    const silence = new Promise<never>((_, reject) => {
      const onSilent = (): void => {
        this.close();
        reject(new NoAnswer('silent'));
      };
      const wait = (): void => {
        stop = startTimeLimit(this.#silenceMs, () => {
          // It ended, which is an answer, too.
          if (!this.isOpen) return;
          const stopWaiting = startTimeLimit(this.#silenceMs, onSilent);
          stop = stopWaiting;
          this.#rpc.sendRequest(wire.ping).then(
            () => {
              stopWaiting();
              if (stop === stopWaiting) wait();
            },
            () => undefined,
          );
        });
      };
      wait();
    });
    try {
      return await Promise.race([answer, silence]);
    } finally {
      stop();
      stop = () => undefined;
    }
  }

  #asFailure(error: unknown): unknown {
    if (error instanceof NoAnswer) return error;
    const noAnswer = new NoAnswer(this.#hasLeft ? 'draining' : 'lost');
    if (!(error instanceof ResponseError)) return noAnswer;
    switch (error.code) {
      case wireErrors.registrar:
        return new RegistrarError(error.data as ErrorReport);
      case wireErrors.draining:
        return new NoAnswer('draining');
      case ErrorCodes.MessageWriteError:
        // If the connection is gone, the system did not accept the whole request, and the daemon never begins half of
        // one.
        return this.isOpen ? unsendable(error.message) : new NoAnswer('draining');
      case wireErrors.unauthorized:
        return new NoAnswer('lost');
      case ErrorCodes.MethodNotFound:
        return new RegistrarError({
          code: 'DAEMON_VERSION',
          message: 'The running daemon has a different version and does not know this request.',
          hint: 'registrar stop; the next command starts the daemon of this version.',
        });
      default:
        // The library's own range is of connections that ended under the request; the rest are defects.
        return noAnswer;
    }
  }
}

function unsendable(reason: string): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: reason,
    hint: 'Send less, such as a shorter text.',
  });
}

/** Connects, and both sides prove themselves; the client reveals nothing before that. */
export async function dialDaemon(options: DialOptions): Promise<Dialled> {
  const socket = await open(options.pipe);
  if (socket === null) return { kind: 'absent' };
  const seen = { malformed: false, late: false };
  const rpc = rpcOver(socket, () => {
    seen.malformed = true;
  });
  rpc.onRequest(wire.snapshot, (snapshot: Snapshot) => {
    options.onSnapshot?.(snapshot);
    return null;
  });
  rpc.onNotification(wire.progress, ({ message }: { message: string }) => options.onProgress?.(message));
  rpc.onNotification(wire.leaving, (leaving?: Leaving) => options.onLeaving?.(leaving));
  rpc.listen();
  const stopWaiting = startTimeLimit(options.limits.handshakeMs, () => {
    seen.late = true;
    socket.destroy();
  });
  try {
    const dialled = await shakeHands(socket, rpc, options);
    if (dialled.kind !== 'attached') socket.destroy();
    return dialled;
  } catch (error) {
    socket.destroy();
    if (seen.late) return { kind: 'silent' };
    if (seen.malformed) return { kind: 'stranger', reason: 'what answers there does not speak the protocol' };
    if (error instanceof ResponseError && error.code === wireErrors.draining) {
      options.onLeaving?.(error.data as Leaving | undefined);
      return { kind: 'draining' };
    }
    if (error instanceof ResponseError) return { kind: 'stranger', reason: 'it refuses the handshake' };
    // It ended during the exchange, as a daemon does that shuts down.
    return { kind: 'draining' };
  } finally {
    stopWaiting();
  }
}

async function shakeHands(socket: Socket, rpc: MessageConnection, options: DialOptions): Promise<Dialled> {
  const nonce = newNonce();
  const hello = await rpc.sendRequest<Partial<HelloResult> | null>(wire.hello, { nonce });
  // Only now, because the daemon writes the file before it answers.
  const token = await options.token();
  if (token === null) return { kind: 'stranger', reason: 'the state folder holds no token' };
  if (typeof hello?.nonce !== 'string' || typeof hello.proof !== 'string' || typeof hello.version !== 'string') {
    return { kind: 'stranger', reason: 'its answer is malformed' };
  }
  if (!isProof(hello.proof, proofOf(token, 'daemon', nonce, hello.nonce))) {
    return { kind: 'stranger', reason: 'it does not know the token of the state folder' };
  }
  const { version, oldestProtocol = 1 } = hello;
  if (oldestProtocol > protocolVersion) return { kind: 'incompatible', version };
  const initialize: InitializeParams = {
    ...options.client,
    protocol: protocolVersion,
    proof: proofOf(token, 'client', hello.nonce, nonce),
  };
  await rpc.sendRequest(wire.initialize, initialize);
  return {
    kind: 'attached',
    connection: new DaemonConnection(socket, rpc, version, options.pipe, options.limits.silenceMs),
  };
}

/** Gives null when nobody is there. */
function open(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== undefined && absent.has(error.code)) resolve(null);
      else reject(error);
    });
    socket.once('connect', () => {
      resolve(socket);
    });
  });
}

/** EAGAIN and ECONNRESET: a full queue, or a daemon that is shutting down; both are retried like the rest. */
const absent = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'EPROTOTYPE', 'EAGAIN', 'ECONNRESET', 'ENOTDIR']);
