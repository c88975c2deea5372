import { setTimeout as delay } from 'node:timers/promises';
import type { ClientFolder } from '../protocol/control.ts';
import { mayRepeat, type AnswerOf, type ControlMethod, type ParamsOf } from '../protocol/methods.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { dialDaemon, NoAnswer, type DaemonConnection, type Dialled, type DialOptions } from './dialDaemon.ts';
import { isNewer } from './versionOrder.ts';

/** A daemon that was started but may not answer yet. */
export interface StartedDaemon {
  /** Null while it runs. An end without error means that it found another daemon. */
  ended(): { error: RegistrarError | null } | null;
}

export interface DaemonClientOptions extends DialOptions {
  /** Starts a daemon beside this process; null when only a running one is to be used. */
  start: (() => StartedDaemon) | null;
  /** How long to try to reach a daemon, from the first dial, ms. */
  connectWithinMs: number;
}

const dialEveryMs = 10;
/**
 * How long a newer version may take to start its daemon. Without this limit, the many clients of the older version
 * would start their own daemon again before the newer one starts, which would then ask it to shut down again.
 */
const yieldMs = 15_000;

/** Asks the daemon of this state folder: connects, otherwise starts it, otherwise explains why not. */
export class DaemonClient {
  readonly #options: DaemonClientOptions;
  #connecting: Promise<DaemonConnection> | null = null;
  /** Until then, waits for a newer daemon if there is none. */
  #yieldsUntil = 0;

  constructor(options: DaemonClientOptions) {
    this.#options = {
      ...options,
      onLeaving: (leaving) => {
        if (leaving?.hasSuccessor) this.#yieldsUntil = performance.now() + yieldMs;
        options.onLeaving?.(leaving);
      },
    };
  }

  /**
   * Asks, and asks again if a daemon that is shutting down or has just ended did nothing, or nothing that matters
   * twice.
   *
   * @param signal cancels it in the daemon; its reason is then thrown
   * @throws RegistrarError of the handler; DAEMON_UNREACHABLE, DAEMON_VERSION
   */
  async call<Method extends ControlMethod>(
    method: Method,
    params: ParamsOf<Method>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<Method>> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.connect();
      try {
        return await connection.request(method, params, signal);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (error.kind === 'silent') throw silentDaemon(this.#options.pipe);
        // Refused because the daemon is shutting down: nothing was done.
        if (error.kind === 'draining') await left(connection);
        else if (!mayRepeat(method) || attempt >= 3) throw lost(method);
      }
    }
  }

  /** @throws RegistrarError DAEMON_UNREACHABLE, DAEMON_VERSION */
  async connect(): Promise<DaemonConnection> {
    const former = this.#connecting;
    const current = await former?.catch(() => null);
    if (current?.isOpen) return current;
    // Of several callers that find the connection lost, the first one dials for all.
    if (this.#connecting === former || this.#connecting === null) this.#connecting = this.#connect();
    return this.#connecting;
  }

  /** Lets the daemon finish its work and shut down, and starts the next. Throws what `connect` throws. */
  async restart(reason: string): Promise<void> {
    await leave(await this.connect(), reason);
    this.#yieldsUntil = 0;
    await this.connect();
  }

  /** This client's folders, for the next connection. The protocol's `setFolders` tells an open one. */
  setFolders(folders: ClientFolder[]): void {
    this.#options.client.folders = folders;
  }

  /** Ends the connection; the daemon lives on. */
  close(): void {
    this.#connecting?.then(
      (connection) => {
        connection.close();
      },
      () => undefined,
    );
    this.#connecting = null;
  }

  async #connect(): Promise<DaemonConnection> {
    const { start, pipe, client } = this.#options;
    const giveUpAt = performance.now() + this.#options.connectWithinMs;
    let started: StartedDaemon | null = null;
    let strangerSince: number | null = null;
    for (;;) {
      const dialled = await dial(this.#options);
      if (dialled.kind === 'attached') {
        const { connection } = dialled;
        if (start === null || !isNewer(client.version, connection.version)) return connection;
        await leave(connection, `version ${client.version} takes over`);
        // The successor is to be started here.
        this.#yieldsUntil = 0;
      } else if (dialled.kind === 'silent') {
        // If nobody was there before, a daemon has only just started, and the machine may be busy with many that do.
        if (!started) throw silentDaemon(pipe);
      } else if (dialled.kind === 'incompatible') {
        throw tooOld(dialled.version);
      } else if (dialled.kind === 'stranger') {
        // A daemon that has just taken over may be about to write its endpoint file.
        strangerSince ??= performance.now();
        if (performance.now() - strangerSince > 2000) throw stranger(pipe, dialled.reason);
      } else if (dialled.kind === 'absent') {
        if (start === null) throw notRunning();
        if (performance.now() < this.#yieldsUntil) {
          await delay(dialEveryMs);
          continue;
        }
        const ended: { error: RegistrarError | null } | null = started?.ended() ?? null;
        if (ended?.error) throw ended.error;
        if (!started || ended) started = start();
      }
      if (performance.now() > giveUpAt) throw neverCame(this.#options.connectWithinMs);
      await delay(dialEveryMs);
    }
  }
}

async function dial(options: DialOptions): Promise<Dialled> {
  try {
    return await dialDaemon(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unreachable(`The daemon's socket cannot be opened: ${reason}.`, `Check the permissions of ${options.pipe}.`);
  }
}

/** The daemon finishes its work and shuts down, but leaves the bundled PostgreSQL running. */
async function leave(connection: DaemonConnection, reason: string): Promise<void> {
  try {
    await connection.request('drain', { stopServer: false, reason });
  } catch (error) {
    // Somebody else may have asked it just before.
    if (!(error instanceof NoAnswer)) throw error;
  }
  await left(connection);
}

/**
 * Waits until a daemon that is shutting down has gone.
 *
 * @throws RegistrarError DAEMON_UNREACHABLE when it hangs instead
 */
export async function left(connection: DaemonConnection): Promise<void> {
  try {
    await connection.gone();
  } catch (error) {
    throw error instanceof NoAnswer ? silentDaemon(connection.pipe) : error;
  }
}

function unreachable(message: string, hint: string): RegistrarError {
  return new RegistrarError({ code: 'DAEMON_UNREACHABLE', message, hint });
}

function notRunning(): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: 'The daemon is not running.',
    hint: 'Any command that needs it starts it; so does: registrar serve',
    details: { reason: 'not running' },
  });
}

/** The error for something that accepts connections but sends nothing: a suspended daemon, or a stranger. */
export function silentDaemon(pipe: string): RegistrarError {
  return unreachable(
    `The daemon does not answer: something accepts connections at ${pipe} and sends nothing.`,
    'Try again. If it keeps happening, find the suspended or hanging registrar process, and resume or end it.',
  );
}

function stranger(pipe: string, reason: string): RegistrarError {
  return unreachable(
    `What answers at ${pipe} is not Registrar's daemon: ${reason}. Nothing was disclosed to it.`,
    'Find out which process has that socket and end it, or set REGISTRAR_HOME to another folder.',
  );
}

function lost(method: string): RegistrarError {
  return unreachable(
    `The daemon stopped before it answered; whether "${method}" was done is not known.`,
    'Check the current state (registrar projects list), then repeat the command if necessary.',
  );
}

function neverCame(limitMs: number): RegistrarError {
  return unreachable(`The daemon did not start within ${limitMs / 1000} s.`, 'See its log: registrar log');
}

function tooOld(version: string): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_VERSION',
    message: `The running daemon is version ${version}, which no longer serves a client as old as this one.`,
    hint: 'Update this installation of Registrar, or use the newer one.',
  });
}
