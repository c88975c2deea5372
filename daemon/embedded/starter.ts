import { realpath, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { RegistrarError } from '../protocol/registrarError.ts';
import type { Binaries } from './binaries.ts';
import { bundledFault } from './bundledFault.ts';
import type { BundledAddress, BundledServerOptions } from './bundledServerOptions.ts';
import { clusterUser } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { findFreePort, portIsFree } from './freePort.ts';
import { endOrphanBackends } from './orphanBackends.ts';
import { launchPostmaster } from './postmaster.ts';
import type { LaunchedPostmaster } from './postmaster.ts';
import { findLockHolder, lockFile, readPostmasterLock } from './postmasterLock.ts';
import type { PostmasterLock } from './postmasterLock.ts';
import { readRecord, writeRecord } from './serverHome.ts';
import type { ServerHome } from './serverHome.ts';

type Probe = BundledServerOptions['probe'];

/**
 * One attempt to end with a running server, as a loop over what exists: it uses a proven server, waits for one that is
 * starting or stopping, and launches one if there is none. PostgreSQL's own lock on the data decides between two
 * starters; the loser's launch ends, and its loop then finds the winner's server.
 */
export class Starter {
  private readonly place: ServerHome;
  private readonly binaries: Binaries;
  private readonly cluster: Cluster;
  private readonly probe: Probe;
  private readonly onProgress: (message: string) => void;
  private launched: LaunchedPostmaster | null = null;
  private launchNotBefore = 0;
  private launchPauseMs = 25;
  private port = 0;
  private sawRefusal = false;

  constructor(place: ServerHome, binaries: Binaries, cluster: Cluster, probe: Probe, onProgress: (m: string) => void) {
    this.place = place;
    this.binaries = binaries;
    this.cluster = cluster;
    this.probe = probe;
    this.onProgress = onProgress;
  }

  /**
   * @param deadline on the clock of `performance.now()`, ms
   * @throws RegistrarError `PROVISION_FAILED` when the server refuses to start, or is not there by then
   */
  async run(deadline: number): Promise<{ address: BundledAddress; reused: boolean }> {
    const recorded = (await readRecord(this.place.folder)).port;
    this.port = recorded ?? (await findFreePort());
    while (performance.now() < deadline) {
      const lock = await readPostmasterLock(this.cluster.data);
      const holder = lock === null ? 'gone' : await findLockHolder(lock, this.cluster.data);
      const mayRun = holder === 'ours' || holder === 'unknown';
      if (lock?.ready && mayRun && (await this.isProven(lock, deadline))) {
        await this.keepPort(lock.port);
        return { address: this.addressAt(lock.port), reused: !this.isLaunched(lock.pid) };
      }
      await this.considerEnd();
      if (this.launched === null && holder !== 'ours' && performance.now() >= this.launchNotBefore) {
        this.onProgress('Starting PostgreSQL');
        const stale = lock !== null && holder === 'other' ? lock.pid : null;
        this.launched = await launchPostmaster(this.place, this.binaries, this.cluster.data, this.port, stale);
      }
      await delay(10);
    }
    throw bundledFault(
      this.sawRefusal
        ? "The bundled PostgreSQL is running, but does not accept Registrar's password."
        : 'The bundled PostgreSQL did not become ready in time.',
      `Try again: it may be recovering from a crash. Its log is ${this.place.folder}/server.log.`,
    );
  }

  private async isProven(lock: PostmasterLock, deadline: number): Promise<boolean> {
    const limitMs = Math.ceil(Math.min(2_000, Math.max(1, deadline - performance.now())));
    const answer = await this.probe(this.addressAt(lock.port), limitMs);
    const isOurs = answer !== null && (await realpath(answer).catch(() => answer)) === this.cluster.data;
    this.sawRefusal ||= !isOurs;
    return isOurs;
  }

  private addressAt(port: number): BundledAddress {
    return { host: '127.0.0.1', port, user: clusterUser, password: this.cluster.password };
  }

  /** On Windows, pg_ctl is in between, so a launch that has not ended counts as the server. */
  private isLaunched(pid: number): boolean {
    return this.launched !== null && (this.launched.pid === null || this.launched.pid === pid);
  }

  /** Afterwards the file names the port that is served, whichever of several starters had chosen it. */
  private async keepPort(port: number): Promise<void> {
    const record = await readRecord(this.place.folder);
    if (record.port !== port) await writeRecord(this.place.folder, { ...record, port });
  }

  /** A launch that ended is either understood, and tried again after a pause, or reported at once. */
  private async considerEnd(): Promise<void> {
    const ended = this.launched?.ended();
    if (!ended) return;
    const output = await ended.output;
    this.launched = null;
    if (/lock file .* is empty/.test(output)) {
      await this.removeEmptyLock();
    } else if (output.includes('pre-existing shared memory block')) {
      this.onProgress('Waiting for an earlier server to be gone');
      // The first refusal may come while they are ending by themselves.
      if (this.launchPauseMs > 100) await endOrphanBackends(this.cluster.data);
    } else if (!/lock file .* already exists/.test(output)) {
      if (await portIsFree(this.port)) throw this.launchFault(output);
      // The port's present user may keep it for good, and clients read the address at each start, so another port
      // serves them better than a refusal.
      this.onProgress(`Port ${String(this.port)} is taken by another program; choosing another`);
      this.port = await findFreePort();
    }
    this.launchNotBefore = performance.now() + this.launchPauseMs;
    this.launchPauseMs = Math.min(1_000, this.launchPauseMs * 2);
  }

  /** PostgreSQL fills its lock at once after making it: one that stays empty was left by a crash or a full disk. */
  private async removeEmptyLock(): Promise<void> {
    const file = lockFile(this.cluster.data);
    const stats = await stat(file).catch(() => null);
    if (stats?.size === 0 && Date.now() - stats.mtimeMs > 2_000) await rm(file, { force: true });
  }

  private launchFault(output: string): RegistrarError {
    const said = /(?:FATAL|PANIC|ERROR): {2}(.*)/.exec(output)?.[1] ?? 'it ended without a reason';
    return bundledFault(
      `The bundled PostgreSQL ${this.binaries.version} does not start: ${said}.`,
      `Its log is ${this.place.folder}/server.log. Or choose another PostgreSQL with: registrar postgres URL`,
    );
  }
}
