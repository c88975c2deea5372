import assert from 'node:assert/strict';
import { DaemonClient } from '../../../daemon/client/daemonClient.ts';
import type { AttachedClient, ClientFolder, Snapshot } from '../../../daemon/protocol/control.ts';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import { DaemonLink } from '../../../extension/daemonLink.ts';
import { resolved } from '../cli/fakeCli.ts';
import { ControlFixture } from '../control/controlFixture.ts';

const limitMs = 20_000;

describe('a window’s link to the daemon', function () {
  this.timeout(2 * limitMs);
  const fixture = new ControlFixture();
  let link: DaemonLink | null = null;
  let folders: ClientFolder[] = [];
  let snapshots: Snapshot[] = [];
  let errors: (ErrorReport | null)[] = [];
  let mayStart = false;
  /** Whether each client that was made was allowed to start a daemon. */
  let made: boolean[] = [];
  let onEvent = (): void => undefined;

  beforeEach(async () => {
    await fixture.open();
    folders = [{ path: '/home/a/shop', trusted: true }];
    [snapshots, errors, made, mayStart] = [[], [], [], false];
  });
  afterEach(async () => {
    link?.close();
    await fixture.close();
  });

  function newLink(): DaemonLink {
    link = new DaemonLink({
      newClient: async (window, may) => {
        made.push(may);
        const options = fixture.dialOptions();
        return new DaemonClient({
          ...options,
          client: { ...options.client, kind: 'window', folders: window.folders },
          onSnapshot: window.onSnapshot,
          start: null,
          connectWithinMs: limitMs,
        });
      },
      folders: () => folders,
      mayStart: () => mayStart,
      onSnapshot: (snapshot) => {
        snapshots.push(snapshot);
        onEvent();
      },
      onError: (error) => {
        errors.push(error);
        onEvent();
      },
      retry: { firstMs: 1, ceilingMs: 10 },
    });
    return link;
  }

  /** Waits for the event after which this is so. */
  async function until(what: string, isSo: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`waited in vain until ${what}`));
      }, limitMs);
      onEvent = () => {
        if (!isSo()) return;
        clearTimeout(limit);
        resolve();
      };
      onEvent();
    });
  }

  it('brings the window’s folders along and is pushed what they are', async () => {
    await fixture.serve();
    newLink().open();
    await until('it stands', () => snapshots.length > 0 && errors.at(-1) === null);
    assert.deepEqual(snapshots[0]?.folders, [{ ...folders[0], resolution: null, database: null }]);
  });

  it('attaches again, by itself, when the daemon was lost, and says meanwhile that there is none', async () => {
    await fixture.serve();
    newLink().open();
    await until('there is a snapshot', () => snapshots.length > 0);
    await fixture.end();
    await until('it is said', () => errors.at(-1)?.code === 'DAEMON_UNREACHABLE');
    const before = snapshots.length;
    await fixture.serve();
    await until('it stands again', () => snapshots.length > before && errors.at(-1) === null);
  });

  it('attaches once, however many ask while it was lost', async () => {
    const control = await fixture.serve();
    const opened = newLink();
    opened.open();
    await until('there is a snapshot', () => snapshots.length > 0);
    await fixture.end();
    const next = await fixture.serve();
    const answers = await Promise.all(Array.from({ length: 5 }, () => opened.call('resolve', {})));
    assert.deepEqual(answers, Array(5).fill(resolved));
    const windows = next.clients().filter(({ kind }: AttachedClient) => kind === 'window');
    assert.equal(windows.length, 1);
    assert.deepEqual(control.clients().length <= 1, true);
  });

  it('tells the daemon when the folders are others, and brings those to the next one', async () => {
    const told: ClientFolder[][] = [];
    const setFolders = async (params: { folders: ClientFolder[] }): Promise<null> => {
      told.push(params.folders);
      return null;
    };
    await fixture.serve({ setFolders });
    const opened = newLink();
    opened.open();
    await until('there is a snapshot', () => snapshots.length > 0);
    folders = [{ path: '/home/a/pay', trusted: true }];
    await opened.renew(false);
    assert.deepEqual(told, [folders]);
    await fixture.end();
    await fixture.serve({ setFolders });
    await until('the next one knows', () => snapshots.at(-1)?.folders[0]?.path === '/home/a/pay');
  });

  it('may start a daemon only once the window is trusted', async () => {
    const opened = newLink();
    opened.open();
    await until('nobody is there', () => errors.length > 0);
    assert.deepEqual(made, [false]);
    mayStart = true;
    await fixture.serve();
    await opened.renew(true);
    await until('there is a snapshot', () => snapshots.length > 0);
    assert.equal(made.at(-1), true);
  });

  it('leaves no connection behind when the window closes', async () => {
    const control = await fixture.serve();
    const opened = newLink();
    opened.open();
    await until('there is a snapshot', () => snapshots.length > 0);
    opened.close();
    while (control.clients().length > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
