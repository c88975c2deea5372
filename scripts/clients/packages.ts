import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a program or a reader of `.env` files is made of. */
export interface Needs {
  packages: readonly string[];
  debian: readonly string[];
}

export interface Installed {
  /** Where its npm packages are found from; made also for what has none. */
  folder: string;
  /** Of its first package; empty where nobody knows it. */
  version: string;
  /** What npm said when it failed; null when all is there. */
  failure: string | null;
}

/** npm's own variables, which `npm run` sets, would send an `npx` to this checkout. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name)),
);

/**
 * Installs each set of npm packages into a folder of its own below `root`, so that one that fails takes no other with it, and
 * none decides another's versions.
 */
export async function installAll(needs: readonly Needs[], root: string): Promise<Map<Needs, Installed>> {
  installDebian([...new Set(needs.flatMap(({ debian }) => debian))]);
  const bySet = new Map<string, Installed>();
  const installed = new Map<Needs, Installed>();
  for (const need of needs) {
    const set = need.packages.join(' ');
    const known = bySet.get(set) ?? (await installSet(need.packages, join(root, `packages-${bySet.size}`)));
    bySet.set(set, known);
    installed.set(need, need.packages.length > 0 ? known : { ...known, version: debianVersion(need.debian[0]) });
  }
  return installed;
}

async function installSet(packages: readonly string[], folder: string): Promise<Installed> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const [first] = packages;
  if (first === undefined) return { folder, version: '', failure: null };
  const failure = await npmInstall(packages, folder);
  if (failure !== null) return { folder, version: '', failure };
  const name = first.replace(/(?!^)@.*$/, '');
  const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return { folder, version: (JSON.parse(manifest) as { version: string }).version, failure: null };
}

function npmInstall(packages: readonly string[], folder: string): Promise<string | null> {
  console.log(`npm install ${packages.join(' ')}`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=notice'];
  return new Promise((resolve) => {
    execFile(
      'npm',
      ['install', ...options, ...packages],
      { cwd: folder, env: environment, timeout: 300_000 },
      (error, stdout, stderr) => {
        resolve(error === null ? null : `${stdout}${stderr}`.trim() || error.message);
      },
    );
  });
}

/** Where root may, what is missing is installed; whoever needs something that is still missing says so when it runs. */
function installDebian(packages: readonly string[]): void {
  if (!existsSync('/usr/bin/apt-get')) return;
  const missing = packages.filter((name) => debianVersion(name) === '');
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.log(`Not installed, and only root can install it: ${missing.join(' ')}`);
    return;
  }
  const apt = (args: string[]): number | null =>
    spawnSync('apt-get', ['-q', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status;
  if (apt(['update']) !== 0 || apt(['install', '-y', '--no-install-recommends', ...missing]) !== 0) {
    console.log(`apt-get could not install all of: ${missing.join(' ')}`);
  }
}

function debianVersion(name = ''): string {
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Version}', name], { encoding: 'utf8' });
  if (asked.error) return '';
  // An epoch and Debian's own revision say nothing about the program.
  return /^installed (?:\d+:)?(\d[\d.]*)/.exec(asked.stdout)?.[1]?.replace(/\.$/, '') ?? '';
}
