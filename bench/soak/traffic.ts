import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonClient } from '../../daemon/client/daemonClient.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { agentOverHttp, agentOverStdio, type BenchAgent } from '../agentClients.ts';
import { registrar } from '../installation.ts';
import type { Entry, Ledger } from './ledger.ts';
import type { FleetDaemon } from '../fleet.ts';
import type { World } from './world.ts';

/** An answer, whoever was asked. */
export interface Answer {
  outcome: string;
  project: { id: string; name: string } | null;
  stale: boolean;
  error: { code: string; message: string } | null;
}

export interface Traffic {
  /** How often each was done. */
  counts: Record<string, number>;
  /** How many came to each daemon, by its pid. */
  visits: Map<number, number>;
  /** What may never happen. */
  violations: string[];
}

/**
 * Windows and agents that come, do something with a project and go, one after the other.
 *
 * @param limits `projects`: how many are begun in all; `stayMs`: the longest time that somebody stays and does nothing
 * @param goesOn asked before each
 */
export async function visit(
  world: World,
  ledger: Ledger,
  traffic: Traffic,
  { projects, stayMs }: { projects: number; stayMs: number },
  goesOn: () => boolean,
): Promise<void> {
  while (goesOn()) {
    const daemon = anyOf(world.daemons);
    const isNew = ledger.entries().length < projects && Math.random() < 0.08;
    const entry = isNew ? await begun(world, ledger) : ledger.take();
    if (entry) {
      traffic.visits.set(daemon.pid, (traffic.visits.get(daemon.pid) ?? 0) + 1);
      const what = isNew || entry.id === null ? 'resolve' : anyOf(deeds);
      try {
        await deed(what, daemon, entry, traffic);
      } catch (error) {
        traffic.violations.push(`${what} of ${entry.directory}: ${String(error)}`);
      }
      ledger.giveBack(entry);
    }
    await delay(Math.random() * stayMs);
  }
}

const deeds = ['resolve', 'resolve', 'resolve', 'resolve by id', 'resolve by id', 'rename', 'forget'] as const;

async function begun(world: World, ledger: Ledger): Promise<Entry> {
  const name = `soak ${String(ledger.entries().length + 1)}`;
  const entry: Entry = { directory: '', id: null, names: [name], forgotten: 'no' };
  ledger.add(entry);
  entry.directory = await world.workspace(name);
  return entry;
}

async function deed(what: (typeof deeds)[number], daemon: FleetDaemon, entry: Entry, traffic: Traffic): Promise<void> {
  switch (what) {
    case 'resolve':
      check(what, await asked(daemon, { directory: entry.directory }, traffic), entry, traffic);
      return;
    case 'resolve by id':
      check(what, await asked(daemon, { project: entry.id }, traffic), entry, traffic);
      return;
    case 'rename':
      return rename(daemon, entry, traffic);
    case 'forget':
      // Most projects stay.
      if (Math.random() < 0.04) return forget(daemon, entry, traffic);
  }
}

/** Asked by a window, by an agent over HTTP, or by one on standard streams. */
async function asked(daemon: FleetDaemon, args: Record<string, unknown>, { counts }: Traffic): Promise<Answer> {
  const dice = Math.random();
  if (dice < 0.4) {
    counted(counts, 'windows');
    return whileOpen(await daemon.window(), async (window) => {
      const { directory } = args;
      if (typeof directory === 'string')
        await window.call('setFolders', { folders: [{ path: directory, trusted: true }] });
      return window.call('resolve', args);
    });
  }
  const isStdio = dice > 0.9;
  counted(counts, isStdio ? 'agents over stdio' : 'agents over HTTP');
  const agent: BenchAgent = isStdio
    ? await agentOverStdio([registrar, 'mcp'], daemon.env)
    : await agentOverHttp(daemon.mcp);
  try {
    return (await agent.ask('resolve_project', args)).structured as unknown as Answer;
  } finally {
    await agent.close();
  }
}

async function whileOpen<T>(window: DaemonClient, work: (window: DaemonClient) => Promise<T>): Promise<T> {
  try {
    return await work(window);
  } finally {
    window.close();
  }
}

/** An answer must be this project, or say why there is none. */
function check(what: string, answer: Answer, entry: Entry, { counts, violations }: Traffic): void {
  const { outcome, project, stale, error } = answer;
  if (outcome === 'resolved' && project) {
    counted(counts, stale ? `${what}, from memory` : what);
    // The first answer after a rename that nobody heard of may still be an older one where it comes from memory.
    if (entry.id !== null && project.id !== entry.id)
      violations.push(`${entry.directory} is ${entry.id} and was answered ${project.id}`);
    entry.id ??= project.id;
    if (entry.forgotten === 'yes' && !stale) violations.push(`${entry.id} was forgotten and is back`);
    return;
  }
  const code = error?.code ?? outcome;
  counted(counts, `${what}: ${code}`);
  const isGone = entry.forgotten !== 'no' && (code === 'PROJECT_FORGOTTEN' || code === 'PROJECT_NOT_FOUND');
  if (!isGone && code !== 'REGISTRY_UNREACHABLE')
    violations.push(`${what} of ${entry.directory}: ${code} ${error?.message ?? ''}`);
}

async function rename(daemon: FleetDaemon, entry: Entry, traffic: Traffic): Promise<void> {
  const { id } = entry;
  if (id === null) return;
  const name = `${entry.names[0]?.replace(/ v\d+$/, '') ?? ''} v${String(Math.floor(Math.random() * 1e9))}`;
  const before = entry.names;
  entry.names = [...before, name];
  const done = await managed('rename', entry, traffic, daemon, (window) =>
    window.call('updateProject', { project: id, name }),
  );
  if (done) entry.names = [name];
}

async function forget(daemon: FleetDaemon, entry: Entry, traffic: Traffic): Promise<void> {
  const { id } = entry;
  if (id === null || entry.forgotten === 'yes') return;
  entry.forgotten = 'perhaps';
  const done = await managed('forget', entry, traffic, daemon, (window) =>
    window.call('forgetProject', { project: id }),
  );
  if (done) entry.forgotten = 'yes';
}

/** @returns false when it was refused, or when nobody knows whether it was done */
async function managed(
  what: string,
  entry: Entry,
  { counts, violations }: Traffic,
  daemon: FleetDaemon,
  work: (window: DaemonClient) => Promise<unknown>,
): Promise<boolean> {
  try {
    await whileOpen(await daemon.window(), work);
    counted(counts, what);
    return true;
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    counted(counts, `${what}: ${error.code}`);
    const isGone = entry.forgotten !== 'no' && error.code === 'PROJECT_NOT_FOUND';
    if (!isGone && error.code !== 'REGISTRY_UNREACHABLE')
      violations.push(`${what} of ${entry.directory}: ${error.code} ${error.message}`);
    return false;
  }
}

function counted(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function anyOf<T>(items: readonly T[]): T {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}
