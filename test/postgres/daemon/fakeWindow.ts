import { once, EventEmitter } from 'node:events';
import { DaemonClient } from '../../../daemon/client/daemonClient.ts';
import type { ClientFolder, FolderState, InitializeParams, Snapshot } from '../../../daemon/protocol/control.ts';

export type Brought = Pick<InitializeParams, 'address' | 'settings'>;

/** A window without an editor: it attaches and keeps the latest snapshot. */
export class FakeWindow {
  readonly client: DaemonClient;
  latest: Snapshot | null = null;
  readonly #events = new EventEmitter();

  constructor(pipe: string, token: string, folders: ClientFolder[], brought: Partial<Brought>) {
    this.client = new DaemonClient({
      pipe,
      token: () => Promise.resolve(token),
      client: {
        kind: 'window',
        version: '1.0.0',
        pid: process.pid,
        folders,
        address: { url: null, source: 'environment', variables: {} },
        ...brought,
      },
      onSnapshot: (snapshot) => {
        this.latest = snapshot;
        this.#events.emit('snapshot');
      },
      limits: { handshakeMs: 20_000, silenceMs: 20_000 },
      connectWithinMs: 20_000,
      start: null,
    });
  }

  get folder(): FolderState | undefined {
    return this.latest?.folders[0];
  }

  async until(isSo: (snapshot: Snapshot) => boolean): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    while (!this.latest || !isSo(this.latest)) {
      await once(this.#events, 'snapshot', { signal }).catch(() => {
        throw new Error(`waited in vain; the latest is ${JSON.stringify(this.latest)}`);
      });
    }
  }
}
