import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findFreePort } from '../../daemon/embedded/freePort.ts';

/** Debian's place; it is not in an ordinary user's PATH. */
const program = '/usr/sbin/pgbouncer';

export interface PgBouncer {
  port: number;
  close(): Promise<void>;
}

/** The reason for not running, in one line, where PgBouncer is not installed. */
export function whyNoPgBouncer(): string | null {
  return existsSync(program) ? null : `not run: no ${program} (Debian: apt-get install pgbouncer)`;
}

/**
 * A PgBouncer in transaction mode in front of a server, for every database of it.
 *
 * @param target where the server is, and the user and password to log in with; clients need no password
 * @param poolSize server connections for each database: few, so that clients have to share
 */
export async function startPgBouncer(
  target: { port: number; user: string; password: string },
  poolSize = 4,
): Promise<PgBouncer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-pgbouncer-'));
  // As root it runs under another account, since it refuses to run as root itself.
  const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  await chmod(folder, 0o755);
  const port = await findFreePort();
  const users = path.join(folder, 'users.txt');
  const settings = path.join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${target.user}" "${target.password}"\n`);
  await writeFile(
    settings,
    `[databases]
* = host=127.0.0.1 port=${String(target.port)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${String(port)}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${String(poolSize)}
max_client_conn = 200
ignore_startup_parameters =
server_login_retry = 1
server_tls_sslmode = disable
`,
  );
  const child = spawn(program, [settings], { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  let said = '';
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error(`pgbouncer ended: ${said}`));
      });
      child.stderr.setEncoding('utf8');
      child.stderr.on('data', (text: string) => {
        said += text;
        if (said.includes('process up')) resolve();
      });
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { port, close };
}
