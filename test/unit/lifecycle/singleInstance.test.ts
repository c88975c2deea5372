import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { claimInstance } from '../../../daemon/lifecycle/singleInstance.ts';
import type { Instance } from '../../../daemon/lifecycle/singleInstance.ts';

const ignore = (): void => undefined;

describe('the claim of the daemon’s path', () => {
  let folder = '';
  let path = '';
  let children: ChildProcess[] = [];
  let instances: Instance[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-claim-'));
    path = join(folder, 'daemon.sock');
  });

  afterEach(async () => {
    for (const instance of instances) instance.release();
    const living = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ends = living.map((child) => once(child, 'exit'));
    for (const child of living) child.kill('SIGKILL');
    await Promise.all(ends);
    children = [];
    instances = [];
    await rm(folder, { recursive: true, force: true });
  });

  const claim = async (onLost = ignore): Promise<Instance | null> => {
    const instance = await claimInstance(path, (socket) => socket.end(), onLost);
    if (instance) instances.push(instance);
    return instance;
  };

  /** Starts a process that claims the path; the words that it says come from `next`. */
  const starter = (): { child: ChildProcess; next(): Promise<string> } => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../support/claimChild.ts'), path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      child,
      next: async () => {
        const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
        return done === true ? 'ended' : value;
      },
    };
  };

  it('is had by one, and by the next after its release', async () => {
    const first = await claim();
    assert.equal(await claim(), null);
    first?.release();
    assert.notEqual(await claim(), null);
  });

  it('leaves nothing beside the path, and nothing after the release', async () => {
    const instance = await claim();
    await claim();
    assert.deepEqual(await readdir(folder), ['daemon.sock']);
    instance?.release();
    assert.deepEqual(await readdir(folder), []);
  });

  it('takes over what a killed process left, also when that is a file', async () => {
    const { child, next } = starter();
    assert.equal(await next(), 'claimed');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(existsSync(path), true);
    const instance = await claim();
    assert.equal(instance?.isOurs(), true);
    instance.release();
    await writeFile(path, 'garbage');
    assert.equal((await claim())?.isOurs(), true);
  });

  it('goes to one of fifty processes that start at once on a stale socket', async function () {
    this.timeout(180_000);
    const { child, next } = starter();
    assert.equal(await next(), 'claimed');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const starters = Array.from({ length: 50 }, starter);
    const words = await Promise.all(starters.map(async (each) => ({ ...each, word: await each.next() })));
    const claimed = words.filter(({ word }) => word === 'claimed');
    // Those who claimed and lost it again say so and end.
    const outcomes = await Promise.all(
      claimed.map(async ({ child: winner, next: word }) => {
        const isHolder = (await askWho(path)) === winner.pid;
        return isHolder ? 'holder' : word();
      }),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'holder').length, 1);
    assert.deepEqual([...new Set(outcomes)].sort(), claimed.length === 1 ? ['holder'] : ['holder', 'lost']);
    assert.equal(words.filter(({ word }) => word === 'taken').length, 50 - claimed.length);
  });

  it('goes to exactly one in the end however many claim a dead socket within one process', async () => {
    for (let round = 0; round < 20; round += 1) {
      await writeFile(path, '');
      const claims = await Promise.all(Array.from({ length: 20 }, () => claim()));
      const held = claims.filter((instance) => instance !== null);
      assert.equal(held.filter((instance) => instance.isOurs()).length, 1, `round ${round}`);
      for (const instance of held) instance.release();
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('is lost as soon as the path leads elsewhere, and then a release takes nothing away', async () => {
    let onLost = ignore;
    const lost = new Promise<void>((resolve) => (onLost = resolve));
    const instance = await claim(() => {
      onLost();
    });
    renameSync(path, join(folder, 'aside'));
    const next = await claim();
    assert.equal(next?.isOurs(), true);
    await lost;
    assert.equal(instance?.isOurs(), false);
    instance.release();
    assert.equal(next.isOurs(), true);
  });

  it('is lost when the folder is removed', async () => {
    let onLost = ignore;
    const lost = new Promise<void>((resolve) => (onLost = resolve));
    await claim(() => {
      onLost();
    });
    await rm(folder, { recursive: true });
    await lost;
  });

  it('respects a suspended process, and a foreign one that squats the path', async () => {
    const { child, next } = starter();
    assert.equal(await next(), 'claimed');
    child.kill('SIGSTOP');
    assert.equal(await claim(), null);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rm(path);
    const squatter = createServer().listen(path);
    await once(squatter, 'listening');
    assert.equal(await claim(), null);
    squatter.close();
  });

  it('says why it cannot be made', async () => {
    await rm(folder, { recursive: true });
    await assert.rejects(claim(), { syscall: 'listen' });
  });
});

async function askWho(path: string): Promise<number> {
  const socket = connect(path);
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(socket, 'close');
  return Number(text);
}
