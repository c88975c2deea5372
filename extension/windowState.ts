import type { Snapshot } from '../daemon/protocol/control.ts';
import type { ErrorReport } from '../daemon/protocol/registrarError.ts';

/** A workspace folder on a disk that the daemon sees. */
export interface WorkspaceFolder {
  name: string;
  /** Absolute. */
  path: string;
}

/** Everything that views draw: what the window has open, and the daemon's latest snapshot of it. */
export interface WindowState {
  folders: readonly WorkspaceFolder[];
  isTrusted: boolean;
  /** Null until the daemon's first snapshot; the last one stays while the window reconnects. */
  snapshot: Snapshot | null;
  /** Why there is no daemon; null while there is one, or one is on its way. */
  daemonError: ErrorReport | null;
  /** What the daemon is doing, if it takes long; otherwise null. */
  progress: string | null;
}
