import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { replaceFile } from '../files/replaceFile.ts';

import { bundledFault } from './bundledFault.ts';
import { isThere } from '../files/isThere.ts';

/** The unprivileged account that the server runs as when Registrar itself runs as root. */
export interface Account {
  uid: number;
  gid: number;
}

export interface ServerHome {
  /** `postgres/` in the state folder: server.json and the server's log. */
  folder: string;
  /** Where binaries and data live: the same folder, but for root one outside root's own home. */
  home: string;
  /** Null unless Registrar runs as root. */
  account: Account | null;
}

export interface ServerRecord {
  /** Only when the home is not the folder itself, so that a state folder may be moved. */
  home?: string;
  port?: number;
}

const defaultRootBase = '/var/lib/project-registrar';

/**
 * Makes the server's folders. PostgreSQL refuses to run as root, and root's home is closed to the account that runs it
 * instead, so for root binaries and data live under `rootBase`. There everything but the data belongs to root and is
 * closed to other users: the account can run the binaries but not replace what root reads, links or writes.
 *
 * @throws RegistrarError `PROVISION_FAILED` when the data was made by root and this is not root, or the other way.
 */
export async function openServerHome(wantedFolder: string, rootBase = defaultRootBase): Promise<ServerHome> {
  await mkdir(wantedFolder, { recursive: true, mode: 0o700 });
  const folder = await realpath(wantedFolder);
  const record = await readRecord(folder);
  if (process.getuid?.() !== 0) {
    if (record.home !== undefined) {
      throw bundledFault(
        `The bundled server's data was created by root and is in ${record.home}.`,
        'Run as root again, or choose another PostgreSQL with: registrar postgres URL',
      );
    }
    return { folder, home: folder, account: null };
  }
  if (await isThere(path.join(folder, 'cluster'))) {
    // A second, empty cluster next to the user's one would split their projects over two servers.
    throw bundledFault(
      `The bundled server's data in ${folder} was created by an ordinary user, but PostgreSQL does not run as root.`,
      'Run Registrar as that user.',
    );
  }
  const account = await findAccount();
  await makeOpenFolder(rootBase);
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const home = record.home ?? path.join(await realpath(rootBase), hash);
  await mkdir(home, { recursive: true });
  await chown(home, 0, account.gid);
  await chmod(home, 0o710);
  if (record.home === undefined) await writeRecord(folder, { ...record, home });
  return { folder, home, account };
}

/** What server.json holds. A damaged file counts as empty: port and home can both be found again without it. */
export async function readRecord(folder: string): Promise<ServerRecord> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path.join(folder, 'server.json'), 'utf8'));
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  const record: ServerRecord = {};
  if ('home' in parsed && typeof parsed.home === 'string') record.home = parsed.home;
  if ('port' in parsed && typeof parsed.port === 'number') record.port = parsed.port;
  return record;
}

/** Replaces server.json as a whole: two starters may write at once, and a reader never sees half a file. */
export async function writeRecord(folder: string, record: ServerRecord): Promise<void> {
  await replaceFile(path.join(folder, 'server.json'), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** PostgreSQL looks its user up by uid, so a bare number without a passwd entry does not serve. */
async function findAccount(): Promise<Account> {
  // On macOS the uid of `nobody` is -2, which Node's spawn and chown spell differently.
  const name = process.platform === 'darwin' ? '_postgres' : 'nobody';
  const ask = async (flag: string): Promise<number> => {
    const { stdout } = await promisify(execFile)('id', [flag, name]);
    return Number.parseInt(stdout, 10);
  };
  try {
    const [uid, gid] = await Promise.all([ask('-u'), ask('-g')]);
    if (uid > 0 && gid > 0) return { uid, gid };
  } catch {
    // Said below, as an account without numbers is.
  }
  throw bundledFault(
    `PostgreSQL does not run as root, but there is no user "${name}" to run it as.`,
    `Run Registrar as an ordinary user, or create the user "${name}".`,
  );
}

/** A folder of root's that the account may pass through; the umask must not close it. */
async function makeOpenFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let current = folder; current.length >= first.length; current = path.dirname(current)) {
    await chmod(current, 0o755);
  }
}
