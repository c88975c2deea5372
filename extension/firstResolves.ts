import type { ErrorCode } from '../daemon/protocol/codes.ts';
import type { Snapshot } from '../daemon/protocol/control.ts';
import type { Resolution } from '../daemon/protocol/model.ts';
import { RegistrarError } from '../daemon/protocol/registrarError.ts';
import type { WindowState } from './windowState.ts';

/**
 * Opening a trusted folder asks for its project, once: that makes the database when there is none yet. The request stands
 * until it was answered, by a server that could be asked; after that the window only looks.
 */
export class FirstResolves {
  readonly #resolve: (directory: string) => Promise<Resolution>;
  readonly #onRefused: (error: RegistrarError) => void;
  readonly #answered = new Set<string>();
  readonly #asking = new Set<string>();
  /** What stood in the way when each was last asked for: it is asked again when that is another. */
  readonly #obstacles = new Map<string, string>();
  /** One after the other: of two folders that claim one name, the upper one has it. */
  #turn: Promise<void> = Promise.resolve();

  /** @param onRefused told of a request that will not be repeated by itself, and that no snapshot speaks of */
  constructor(resolve: (directory: string) => Promise<Resolution>, onRefused: (error: RegistrarError) => void) {
    this.#resolve = resolve;
    this.#onRefused = onRefused;
  }

  /** Call it whenever the state has changed. */
  update({ folders, isTrusted, snapshot }: WindowState): void {
    if (!isTrusted || !snapshot) return;
    for (const { path } of folders) {
      if (this.#answered.has(path) || this.#asking.has(path)) continue;
      const obstacle = obstacleOf(path, snapshot);
      if (this.#obstacles.get(path) === obstacle) continue;
      this.#obstacles.set(path, obstacle);
      this.#asking.add(path);
      this.#turn = this.#turn.then(() => this.#ask(path));
    }
  }

  async #ask(path: string): Promise<void> {
    try {
      if (!isUnanswered(await this.#resolve(path))) this.#answered.add(path);
    } catch (error) {
      // The rest stands in the snapshot, or in the link's error.
      if (!(error instanceof RegistrarError) || isAwaited(error.code)) return;
      this.#answered.add(path);
      this.#onRefused(error);
    } finally {
      this.#asking.delete(path);
    }
  }
}

/** What the snapshot says against an answer; a daemon of its own, since each has to hear the window's address first. */
function obstacleOf(path: string, { daemon, server, error, folders }: Snapshot): string {
  const seen = folders.find((folder) => folder.path === path)?.resolution;
  return JSON.stringify([daemon.started, server, error?.code, seen && isUnanswered(seen)]);
}

function isUnanswered({ stale, error }: Resolution): boolean {
  return stale || (error !== null && isAwaited(error.code));
}

/** What may be otherwise later without anybody asking again. */
function isAwaited(code: ErrorCode): boolean {
  return awaited.has(code);
}

const awaited: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_BUSY',
  'SERVER_FULL',
  'CREDENTIALS_REQUIRED',
  'POSTGRES_NOT_CHOSEN',
  'ADDRESS_MISMATCH',
  'DAEMON_UNREACHABLE',
  'DAEMON_VERSION',
  // A config that does not say what it wants is asked when it does.
  'CONFIG_INVALID',
  'CONFIG_CHANGED',
  'NAME_INVALID',
  'DATABASE_NAME_INVALID',
]);
