import { left, type DaemonClient } from '../daemon/client/daemonClient.ts';
import type { ClientFolder, Snapshot } from '../daemon/protocol/control.ts';
import type { AnswerOf, ParamsOf, WindowMethod } from '../daemon/protocol/methods.ts';
import { reportOf, type ErrorReport } from '../daemon/protocol/registrarError.ts';

export interface DaemonLinkOptions {
  /**
   * Makes a client for the folders and settings of this moment; nothing is dialled yet.
   *
   * @param mayStart whether a daemon is started when none runs
   */
  newClient: (window: LinkWindow, mayStart: boolean) => Promise<DaemonClient>;
  folders: () => ClientFolder[];
  /** False while nothing may be started for this window: it then only joins a daemon that runs. */
  mayStart: () => boolean;
  onSnapshot: (snapshot: Snapshot) => void;
  /** Null when the link is attached again. */
  onError: (error: ErrorReport | null) => void;
  retry?: { firstMs: number; ceilingMs: number };
}

export interface LinkWindow {
  folders: ClientFolder[];
  onSnapshot: (snapshot: Snapshot) => void;
}

/**
 * Keeps the window attached to the daemon as long as the window is open: after a daemon ends or is replaced, connects
 * again, or starts one. Each time, the window sends its folders, because an untrusted one is vetoed for everybody.
 */
export class DaemonLink {
  readonly #options: DaemonLinkOptions;
  #client: Promise<DaemonClient> | null = null;
  #isOpen = false;
  #failures = 0;
  #wake: (() => void) | null = null;

  constructor(options: DaemonLinkOptions) {
    this.#options = options;
  }

  /** Attaches in the background, and stays attached until `close`. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    void this.#stayAttached();
  }

  /** @throws RegistrarError of the daemon; DAEMON_UNREACHABLE, DAEMON_VERSION */
  async call<Method extends WindowMethod>(method: Method, params: ParamsOf<Method>): Promise<AnswerOf<Method>> {
    return (await this.#current()).call(method, params);
  }

  /** The window's folders, their trust or its settings have changed. */
  async renew(isNewClient: boolean): Promise<void> {
    if (isNewClient) {
      const former = this.#client;
      this.#client = null;
      (await former?.catch(() => null))?.close();
    } else if (this.#client) {
      const client = await this.#current();
      client.setFolders(this.#options.folders());
      await client.call('setFolders', { folders: this.#options.folders() });
    }
    this.#wake?.();
  }

  /** Lets the daemon finish its work and shut down; the next one is started at once. */
  async restart(reason: string): Promise<void> {
    await (await this.#current()).restart(reason);
  }

  /** Detaches; the daemon keeps running for others. */
  close(): void {
    this.#isOpen = false;
    this.#client?.then(
      (client) => {
        client.close();
      },
      () => undefined,
    );
    this.#client = null;
    this.#wake?.();
  }

  async #stayAttached(): Promise<void> {
    while (this.#staysOpen()) {
      try {
        const client = await this.#current();
        const connection = await client.connect();
        this.#failures = 0;
        this.#options.onError(null);
        await left(connection);
      } catch (error) {
        this.#failures += 1;
        if (this.#staysOpen()) this.#options.onError(reportOf(error, 'Restart the daemon.', (reason) => reason));
      }
      if (this.#staysOpen()) await this.#pause();
    }
  }

  /** Asked anew after every wait, during which `close` may have come. */
  #staysOpen(): boolean {
    return this.#isOpen;
  }

  #current(): Promise<DaemonClient> {
    const { newClient, folders, mayStart, onSnapshot } = this.#options;
    if (!this.#client) {
      const made = newClient({ folders: folders(), onSnapshot }, mayStart());
      this.#client = made;
      // A state folder that could not be opened may be there the next time.
      made.catch(() => {
        if (this.#client === made) this.#client = null;
      });
    }
    return this.#client;
  }

  /** Longer after every failure, up to the ceiling; ended early by anything that makes another try sensible. */
  #pause(): Promise<void> {
    const { firstMs, ceilingMs } = this.#options.retry ?? { firstMs: 100, ceilingMs: 5000 };
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ceilingMs, firstMs * 2 ** Math.min(this.#failures, 16)));
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
