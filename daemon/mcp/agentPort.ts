import type { RegistrarApi } from '../protocol/methods.ts';
import type { Tool } from './tools/toolModel.ts';

/** What agents need of the daemon. */
export interface AgentPort {
  version: string;
  /** The user's home folder, which is nobody's working directory. */
  home: string;
  /**
   * Lets a call use the engine.
   *
   * @param access `change` if windows may have to refresh afterwards
   * @throws RegistrarError when PostgreSQL cannot be opened, and whatever `run` throws
   */
  use: <T>(
    access: 'read' | 'change',
    onProgress: (message: string) => void,
    run: (api: RegistrarApi) => Promise<T>,
  ) => Promise<T>;
  /** Wraps every call, so that the daemon's end can wait for those that run. */
  running: <T>(work: () => Promise<T>) => Promise<T>;
  /** The tools that are offered now; the same array while they do not change. */
  tools: () => readonly Tool[];
  /** A client that has not said by then which folders it has open counts as having none, ms. */
  rootsLimitMs: number;
  /** Called when agents came, left, or work elsewhere. */
  onChanged: () => void;
  /** Called for a fault that is not a refusal. */
  onFault: (error: unknown) => void;
}
