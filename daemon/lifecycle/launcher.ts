import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { launcherCommand, launcherScript } from './launcherScript.ts';
import { writePrivateFile } from '../wire/stateFolder.ts';

const installationSchema = z.object({
  version: z.string(),
  /** Absolute path of the command's script. */
  script: z.string().min(1),
  /** Absolute path of the Node, or of the Electron that can act as one, that runs it. */
  node: z.string().min(1),
});

/** A Registrar on this machine that has run as the daemon. */
export type Installation = z.infer<typeof installationSchema>;

/** An installation is forgotten after this many newer ones have started. */
const maxInstallations = 8;

/** The launcher in a state folder: agents start it, whatever is updated or removed later. */
export function launcherPath(stateFolder: string, platform: string): string {
  return join(stateFolder, 'bin', platform === 'win32' ? 'registrar.cmd' : 'registrar');
}

/**
 * Records an installation in `bin/installations.json` and rewrites the launcher. Of two that do so at once, one may get
 * lost; it comes back at its next start.
 *
 * @param isNewer compares two versions
 * @throws the operating system's error
 */
export async function refreshLauncher(
  stateFolder: string,
  own: Installation,
  isNewer: (version: string, than: string) => boolean,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  const folder = join(stateFolder, 'bin');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const list = join(folder, 'installations.json');
  const others = (await readInstallations(list)).filter(
    ({ script, node }) => script !== own.script || node !== own.node,
  );
  const known = [own, ...others].slice(0, maxInstallations);
  // Among equals the one that was used last comes first.
  const newestFirst = known.toSorted((one, other) => {
    if (isNewer(one.version, other.version)) return -1;
    return isNewer(other.version, one.version) ? 1 : 0;
  });
  await keepFile(list, `${JSON.stringify(known, null, 2)}\n`, 0o600);
  const text = platform === 'win32' ? launcherCommand(newestFirst) : launcherScript(newestFirst);
  await keepFile(launcherPath(stateFolder, platform), text, 0o700);
}

/** The next start rewrites a damaged list. */
async function readInstallations(path: string): Promise<Installation[]> {
  try {
    return z.array(installationSchema).parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return [];
  }
}

/** A program that starts the launcher at this instant gets the old one or the new one, complete. */
async function keepFile(path: string, text: string, mode: 0o600 | 0o700): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) !== text) await writePrivateFile(path, text, mode);
}
