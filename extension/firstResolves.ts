import type { ErrorCode } from '../daemon/protocol/codes.ts';
import type { Snapshot } from '../daemon/protocol/control.ts';
import type { Resolution } from '../daemon/protocol/model.ts';
import { RegistrarError } from '../daemon/protocol/registrarError.ts';
import type { WindowState } from './windowState.ts';

/**
 * Opening a trusted folder resolves its project, once, which creates the database if there is none yet. The request
 * stays until a reachable server has answered it; after that, the window only refreshes.
 */
export class FirstResolves {
  readonly #resolve: (directory: string) => Promise<Resolution>;
  readonly #onRefused: (error: RegistrarError) => void;
  readonly #answered = new Set<string>();
  readonly #asking = new Set<string>();
  /** The obstacle at each folder's last request; the folder is requested again when the obstacle changes. */
  readonly #obstacles = new Map<string, string>();
  /** One after the other: of two folders that claim one name, the upper one has it. */
  #turn: Promise<void> = Promise.resolve();

  /** @param onRefused called for a request that is not repeated automatically and that no snapshot reports */
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

/** What may change later without anybody asking again. */
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
  // A config with an error is requested again once it is fixed.
  'CONFIG_INVALID',
  'CONFIG_CHANGED',
  'NAME_INVALID',
  'DATABASE_NAME_INVALID',
]);
