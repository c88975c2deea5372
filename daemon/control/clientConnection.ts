import type { Socket } from 'node:net';
import { ResponseError } from 'vscode-jsonrpc/node';
import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import {
  oldestProtocol,
  protocolVersion,
  wire,
  wireErrors,
  type AttachedClient,
  type GivenAddress,
  type HelloResult,
  type Leaving,
  type Snapshot,
} from '../protocol/control.ts';
import { controlMethods, factsOf, type AnswerOf, type ControlMethod, type ParamsOf } from '../protocol/methods.ts';
import { formerNames } from '../protocol/operations.ts';
import { RegistrarError, reportOf } from '../protocol/registrarError.ts';
import type { WindowSettings } from '../protocol/settings.ts';
import { isProof, newNonce, proofOf } from '../wire/proof.ts';
import { rpcOver } from '../wire/rpcOver.ts';
import { agentStreamParams, controlParams, helloParams, initializeParams } from './controlParams.ts';

/** What a handler knows about its caller. */
export interface Caller extends AttachedClient {
  address: GivenAddress;
  /** Reports progress to people. */
  progress: (message: string) => void;
}

/** One function per method; params are checked already. The signal comes when the client cancels the request, or goes. */
export type ControlHandlers = {
  [Method in ControlMethod]: (
    params: ParamsOf<Method>,
    caller: Caller,
    signal: AbortSignal,
  ) => Promise<AnswerOf<Method>>;
};

export interface ConnectionPorts {
  version: string;
  /** Resolves when the token is in the endpoint file, where clients read it. */
  token(): Promise<string>;
  handlers: ControlHandlers;
  /** Null unless this daemon is shutting down. */
  leaving(): Leaving | null;
  /** Wraps every request, so that shutting down can wait for running ones. */
  running<T>(work: () => Promise<T>): Promise<T>;
  /** A window's settings apply before its first request. Never rejects: the window attaches all the same. */
  keepSettings(settings: WindowSettings): Promise<void>;
  /** The connection carries an agent's messages from now on; nothing is written to it before the first comes. */
  openAgentStream(socket: Socket, params: AgentStreamParams): Promise<void>;
  onAttached(): void;
  onClosed(): void;
}

/** A client that does not prove itself within this time is disconnected. */
const proveWithinMs = 10_000;
const maxRequestsAtOnce = 256;

/** One client. Whatever it sends, it can end only itself. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #ports: ConnectionPorts;
  readonly #rpc: MessageConnection;
  readonly #gone = new AbortController();
  #caller: Caller | null = null;
  #nonces: { client: string; daemon: string } | null = null;
  #requests = 0;
  #latest: (() => Snapshot) | null = null;
  #isSending = false;
  #isAgentStream = false;
  #hasSaidHello = false;

  constructor(socket: Socket, ports: ConnectionPorts) {
    this.#socket = socket;
    this.#ports = ports;
    this.#rpc = rpcOver(socket, () => undefined);
    const unproven = setTimeout(() => socket.destroy(), proveWithinMs);
    unproven.unref();
    socket.once('close', () => {
      clearTimeout(unproven);
      this.#caller = null;
      this.#gone.abort();
      ports.onClosed();
    });
    this.#rpc.onUnhandledNotification(() => undefined);
    this.#rpc.onRequest(wire.hello, (params: unknown) => this.#hello(params));
    this.#rpc.onRequest(wire.initialize, async (params: unknown) => {
      await this.#initialize(params);
      clearTimeout(unproven);
      ports.onAttached();
      return null;
    });
    this.#rpc.onRequest(wire.ping, () => null);
    this.#rpc.onRequest(wire.agentStream, async (params: unknown) => {
      if (!this.#caller) throw new ResponseError(wireErrors.unauthorized, 'Authenticate first.');
      this.#refuseWhileDraining();
      const checked = parsed(agentStreamParams, params);
      // The client sends nothing until it has the answer, which is the last message of this protocol.
      socket.removeAllListeners('data');
      this.#isAgentStream = true;
      await ports.openAgentStream(socket, checked);
      return null;
    });
    for (const method of controlMethods) this.#serve(method, method);
    for (const [former, method] of Object.entries(formerNames)) this.#serve(former, method);
    this.#rpc.listen();
  }

  /** Null until the client has proved itself, and after it has gone. */
  get client(): Caller | null {
    return this.#caller;
  }

  /** Sends the latest state as soon as the client has taken the previous one; states in between are skipped. */
  push(snapshot: () => Snapshot): void {
    if (this.#caller?.kind !== 'window') return;
    this.#latest = snapshot;
    void this.#sendLatest();
  }

  /** Says that the daemon is shutting down. */
  sayLeaving(leaving: Leaving): void {
    if (this.#caller && !this.#isAgentStream) void this.#notify(wire.leaving, leaving);
  }

  /** Ends the connection after sending what has been answered. */
  close(limitMs: number): void {
    setTimeout(() => this.#socket.destroy(), limitMs).unref();
    // The library writes an answer some ticks after its handler is done; a message sent then comes after the answer.
    setImmediate(() => {
      void this.#sayLeft().finally(() => this.#socket.end());
    });
  }

  /** The client's latest requests may never be read. What a cut-off request did is not known. */
  async #sayLeft(): Promise<void> {
    const isInOrder = this.#ports.leaving() !== null && this.#requests === 0;
    if (isInOrder && this.#caller && !this.#isAgentStream) await this.#notify(wire.left, {});
  }

  async #sendLatest(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#latest !== null && !this.#socket.destroyed) {
        const snapshot = this.#latest;
        this.#latest = null;
        // A request and not a notification: what was written may wait in the system's buffers for a long time.
        await this.#rpc.sendRequest(wire.snapshot, snapshot());
      }
    } catch {
      // The client has gone, or takes no snapshots.
    } finally {
      this.#isSending = false;
    }
  }

  /** A client that has gone needs no message; the library throws then, or rejects later. */
  async #notify(name: string, params: object): Promise<void> {
    if (this.#socket.destroyed) return;
    await this.#rpc.sendNotification(name, params).catch(() => undefined);
  }

  async #hello(params: unknown): Promise<HelloResult> {
    this.#refuseWhileDraining();
    const { nonce } = parsed(helloParams, params);
    if (this.#hasSaidHello) throw new ResponseError(wireErrors.unauthorized, 'Said already.');
    this.#hasSaidHello = true;
    const token = await this.#ports.token();
    // Again, because shutting down may have begun meanwhile.
    this.#refuseWhileDraining();
    const own = newNonce();
    this.#nonces = { client: nonce, daemon: own };
    const proof = proofOf(token, 'daemon', nonce, own);
    return { nonce: own, proof, version: this.#ports.version, protocol: protocolVersion, oldestProtocol };
  }

  async #initialize(given: unknown): Promise<void> {
    const params = parsed(initializeParams, given);
    const nonces = this.#nonces;
    this.#nonces = null;
    if (!nonces) throw unproven();
    const token = await this.#ports.token();
    if (!isProof(params.proof, proofOf(token, 'client', nonces.daemon, nonces.client))) {
      throw unproven();
    }
    const { kind, version, pid, folders, address, settings } = params;
    if (settings) await this.#ports.keepSettings(settings);
    const progress = (message: string): void => {
      void this.#notify(wire.progress, { message });
    };
    this.#caller = { kind, version, pid, folders, address, since: new Date().toISOString(), progress };
  }

  /** @param name by which clients ask for it */
  #serve(name: string, method: ControlMethod): void {
    const schema: z.ZodType = controlParams[method];
    // The two records say which parameters belong to which handler, but looking them up by name loses that.
    const handler = this.#ports.handlers[method] as (
      params: unknown,
      caller: Caller,
      signal: AbortSignal,
    ) => Promise<unknown>;
    this.#rpc.onRequest(wire.method(name), async (params: unknown, token?: CancellationToken) => {
      const caller = this.#caller;
      if (!caller) throw new ResponseError(wireErrors.unauthorized, 'Authenticate first.');
      if (!factsOf(method).whileLeaving) this.#refuseWhileDraining();
      if (this.#requests >= maxRequestsAtOnce) {
        this.#socket.destroy();
        throw new Error('too many requests at once');
      }
      this.#requests += 1;
      try {
        const signal = AbortSignal.any([this.#gone.signal, signalOf(token)]);
        return await this.#ports.running(() => handler(parsed(schema, params), caller, signal));
      } catch (error) {
        throw asResponse(error);
      } finally {
        this.#requests -= 1;
      }
    });
  }

  #refuseWhileDraining(): void {
    const leaving = this.#ports.leaving();
    if (leaving) throw new ResponseError(wireErrors.draining, 'This daemon is shutting down.', leaving);
  }
}

/** @param token of the library, which gives none to a request without params */
function signalOf(token: CancellationToken | undefined): AbortSignal {
  const cancelled = new AbortController();
  token?.onCancellationRequested(() => {
    cancelled.abort();
  });
  return cancelled.signal;
}

function parsed<T>(schema: z.ZodType<T>, params: unknown): T {
  const result = schema.safeParse(params ?? undefined);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw asResponse(
    new RegistrarError({
      code: 'INVALID_ARGUMENT',
      message: `The request is malformed: ${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}`,
      hint: 'Use the same version of Registrar on both sides.',
    }),
  );
}

function asResponse(error: unknown): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  const report = reportOf(error, 'Please report it, with registrar log.', (reason) => reason);
  return new ResponseError(wireErrors.registrar, report.message, report);
}

function unproven(): ResponseError<unknown> {
  return new ResponseError(wireErrors.unauthorized, 'The client did not prove that it knows the token.');
}
