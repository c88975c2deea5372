import type { Snapshot } from '../daemon/protocol/control.ts';
import type { ErrorReport } from '../daemon/protocol/registrarError.ts';

/** A workspace folder on a disk that the daemon sees. */
export interface WorkspaceFolder {
  name: string;
  /** Absolute. */
  path: string;
}

/** All that views draw: what the window has open, and the daemon's latest word about it. */
export interface WindowState {
  folders: readonly WorkspaceFolder[];
  isTrusted: boolean;
  /** Null until the daemon's first word; the last one stays while a lost daemon is dialled again. */
  snapshot: Snapshot | null;
  /** Why there is no daemon; null while there is one, or one is on its way. */
  daemonError: ErrorReport | null;
  /** What the daemon does that takes so long; null while it does nothing of the kind. */
  progress: string | null;
}
