import type { Caller } from '../control/clientConnection.ts';
import type { AgentActivity } from '../lifecycle/agentActivity.ts';
import type { GivenAddress } from '../protocol/control.ts';
import type { Engine } from './engine.ts';
import type { EngineHolder } from './engineHolder.ts';

/** A caller. Agents, however they connect, call as forwarders do, without an address of their own. */
type Asking = Pick<Caller, 'kind' | 'progress'> & { address: GivenAddress | null };

/** How callers get at the engine. */
export class EngineAccess {
  readonly #holder: EngineHolder;
  readonly #activity: AgentActivity;
  readonly #onChange: () => void;

  /** @param onChange called after anything that may have changed what windows draw */
  constructor(holder: EngineHolder, activity: AgentActivity, onChange: () => void) {
    this.#holder = holder;
    this.#activity = activity;
    this.#onChange = onChange;
  }

  /** To read. Throws as `EngineHolder.use` does. */
  read<T>(caller: Asking, run: (engine: Engine) => Promise<T>): Promise<T> {
    if (caller.kind === 'forwarder') this.#activity.heard();
    return this.#holder.use(caller.address, caller.progress, run);
  }

  /** For calls that may change what windows draw. */
  async change<T>(caller: Asking, run: (engine: Engine) => Promise<T>): Promise<T> {
    try {
      return await this.read(caller, run);
    } finally {
      // The caller does not wait for it.
      setImmediate(this.#onChange);
    }
  }
}
