import type { Caller } from '../control/clientConnection.ts';
import type { ClientFolder, Snapshot } from '../protocol/control.ts';
import type { Resolution } from '../protocol/model.ts';
import type { EngineHolder } from './engineHolder.ts';
import { WindowLooks } from './windowLooks.ts';

export interface WindowSnapshotsOptions {
  holder: EngineHolder;
  /** Those of every window that is open. */
  folders(): readonly ClientFolder[];
  /** Called when windows have something new to draw. */
  onChanged(): void;
  /** Called when the last waiting project has been delivered. */
  onDelivered(): void;
}

/** What windows draw: the server, what their folders resolve to, and the projects that wait for the registry. */
export class WindowSnapshots {
  readonly #options: WindowSnapshotsOptions;
  readonly #looks: WindowLooks;
  #sync: Snapshot['sync'] = null;
  #drawn = '';

  constructor(options: WindowSnapshotsOptions) {
    this.#options = options;
    this.#looks = new WindowLooks({
      holder: options.holder,
      folders: () => options.folders().map((folder) => folder.path),
      onChanged: () => {
        this.#drawAgain();
      },
    });
  }

  /** Whether projects waited for the registry when that was last asked. */
  get hasPending(): boolean {
    return (this.#sync?.pending.length ?? 0) > 0;
  }

  /** Refreshes all of it in the background. */
  refresh(): void {
    void this.refreshSync();
    void this.#looks.look();
  }

  async look(): Promise<void> {
    await this.#looks.look();
  }

  /** Somebody has just resolved this folder, as `WindowLooks` says. */
  note(directory: string, resolution: Resolution, isPerson: boolean): void {
    this.#looks.note(directory, resolution, isPerson);
  }

  async refreshSync(): Promise<void> {
    const hadPending = this.hasPending;
    const hasPending = await this.askPending();
    this.#options.onChanged();
    if (hadPending && !hasPending) this.#options.onDelivered();
  }

  /** Whether projects wait for the registry, asked of the engine if one is open. */
  async askPending(): Promise<boolean> {
    this.#sync = (await this.#options.holder.engine?.syncStatus()) ?? this.#sync;
    return this.hasPending;
  }

  /** What one window is to draw. */
  of(
    { folders, address }: Pick<Caller, 'folders' | 'address'>,
    rest: Pick<Snapshot, 'revision' | 'daemon' | 'agents' | 'mcp'>,
  ): Snapshot {
    const { holder } = this.#options;
    // A window that names another server does not see what this one says about its folders.
    const objection = holder.objectionTo(address);
    return {
      ...rest,
      server: objection ? null : holder.server,
      error: objection ?? holder.error,
      folders: folders.map((folder) =>
        objection ? { ...folder, resolution: null, database: null } : this.#looks.stateOf(folder),
      ),
      projects: objection ? null : this.#looks.projects,
      sync: this.#sync,
    };
  }

  /** Resolves when no refresh is under way. */
  async stop(): Promise<void> {
    await this.#looks.stop();
  }

  #drawAgain(): void {
    const { holder } = this.#options;
    const states = this.#options.folders().map((folder) => this.#looks.stateOf(folder));
    const now = JSON.stringify([holder.server, holder.error, states, this.#looks.projects]);
    // Most refreshes find what windows already show.
    if (now === this.#drawn) return;
    this.#drawn = now;
    this.#options.onChanged();
  }
}
