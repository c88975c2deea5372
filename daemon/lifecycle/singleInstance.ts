import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, unlinkSync, watch } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { osErrorCode } from '../files/osError.ts';

/** This process is the daemon, for as long as the path leads to it. */
export interface Instance {
  /** Whether the path still leads here: another daemon may have mistaken a live socket for a dead one. */
  isOurs(): boolean;
  /** Removes the path, if it is still ours, and accepts no more connections. Open connections stay. */
  release(): void;
}

/**
 * Claims a path that only one process can have. The operating system decides: a link to a taken name fails, and a named
 * pipe has one first instance. A pid in a file proves nothing and is not used.
 *
 * Two processes that both find the same dead socket can still remove each other's fresh one. The path then leads to the
 * later one; for the earlier one, `isOurs` is false, and `onLost` tells it to shut down.
 *
 * @param onConnection called for everyone who connects, from the moment of the claim
 * @param onLost called once when the path no longer leads here
 * @returns null if a live process has the path; ask there who it is
 * @throws the operating system's error when no socket can be made there
 */
export async function claimInstance(
  path: string,
  onConnection: (socket: Socket) => void,
  onLost: () => void,
  platform: NodeJS.Platform = process.platform,
): Promise<Instance | null> {
  const server = createServer(onConnection);
  if (platform === 'win32') {
    if (!(await listenOn(server, path))) return null;
    return { isOurs: () => server.listening, release: () => server.close() };
  }
  // Bound under a name of its own and linked to the path, since closing a socket unlinks the name that it was bound to,
  // even when that has become somebody else's meanwhile.
  const own = `${path}.${randomBytes(4).toString('hex')}`;
  await listenOn(server, own);
  const { dev, ino } = lstatSync(own);
  try {
    if (!(await linkTo(own, path))) {
      server.close();
      return null;
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    remove(own);
  }
  // The socket keeps its inode alive, so the number cannot be another's.
  const isOurs = (): boolean => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.ino === ino && found.dev === dev;
  };
  const stopWatching = watchPath(path, () => {
    if (isOurs()) return;
    stopWatching();
    onLost();
  });
  return {
    isOurs,
    release() {
      stopWatching();
      if (isOurs()) remove(path);
      server.close();
    },
  };
}

/** Gives false when another live one has the path. */
async function linkTo(own: string, path: string): Promise<boolean> {
  for (;;) {
    try {
      linkSync(own, path);
      return true;
    } catch (error) {
      if (osErrorCode(error) !== 'EEXIST') throw error;
    }
    if (await answers(path)) return false;
    await removeDead(path);
  }
}

/**
 * Removes a dead socket. Between asking it and moving it, somebody may have put a live one there, so the moved one is
 * asked again, and put back if it is alive.
 */
async function removeDead(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    // Another starter was faster.
    if (osErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (await answers(aside)) linkSync(aside, path);
  } catch (error) {
    // A third process has the path now, and the moved one finds that it lost the path.
    if (osErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    remove(aside);
  }
}

/** Whether a process accepts connections there; one that is suspended does, since the system accepts for it. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      // Its queue is full, or it accepted and closed at once: a process is alive there.
      if (osErrorCode(error) === 'EAGAIN' || osErrorCode(error) === 'ECONNRESET') resolve(true);
      // ENOTSOCK and EPROTOTYPE: a file that is no socket of this kind serves nobody.
      else if (['ECONNREFUSED', 'ENOENT', 'ENOTSOCK', 'EPROTOTYPE'].includes(osErrorCode(error) ?? '')) resolve(false);
      else reject(error);
    });
  });
}

/** Gives false when the name is taken. */
function listenOn(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      if (osErrorCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', failed);
    server.listen(path, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

const lookEveryMs = 60_000;

/** The system reports changes at once if it can; otherwise, a check every minute has to do. */
function watchPath(path: string, look: () => void): () => void {
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  const name = basename(path);
  let watcher: ReturnType<typeof watch> | null = null;
  try {
    watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
      // Of the folder's own removal the name is the folder's.
      if (changed === null || changed === name || changed === basename(dirname(path))) look();
    });
    watcher.on('error', () => undefined);
  } catch {
    // The system's limit of watches is reached.
  }
  return () => {
    clearInterval(timer);
    watcher?.close();
  };
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (osErrorCode(error) !== 'ENOENT') throw error;
  }
}
