import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readLog } from '../../daemon/lifecycle/readLog.ts';
import { agentOverHttp } from '../agentClients.ts';
import type { BenchServer } from '../benchServer.ts';
import { filledRegistry, type FilledRegistry } from '../filledRegistry.ts';
import { figuresOf } from '../harness.ts';
import { agentAddress, clientOf, environmentOf, registrar, runNode } from '../installation.ts';
import type { Measure, Question } from '../result.ts';
import { resolvedBy } from './agents.ts';

const rounds = 3;
const sessions = 100;
const projects = 10_000;
const callers = 16;
const callsEach = 1000;
const restLimitMs = 120_000;
/** For what a start leaves behind to be collected. */
const settleMs = 1500;

/** Resident memory of the built daemon. */
export const memory: Question = {
  name: 'memory',
  async ask(server) {
    const one = await filledRegistry(server, 1);
    const many = await filledRegistry(server, projects);
    const floor: number[] = [];
    const idle: number[] = [];
    const withSessions: number[] = [];
    const withProjects: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      floor.push(await bareBytes());
      const daemon = await startDaemon(server, one);
      idle.push(await daemon.bytes());
      await daemon.openSessions();
      withSessions.push(await daemon.bytes());
      await daemon.stop();
      const knowing = await startDaemon(server, many);
      withProjects.push(await knowing.bytes());
      await knowing.stop();
    }
    const rest = await loadAndRest(server, one);
    const measure = { kind: 'measure', unit: 'MB', floorValue: megabytes(floor) } as const;
    const bare = 'Node with `pg` and the library of MCP loaded';
    const grown = { ...measure, floor: 'the idle daemon', floorValue: megabytes(idle), target: null };
    return [
      {
        ...measure,
        what: 'resident memory of the daemon, idle after one answer',
        value: megabytes(idle),
        floor: bare,
        target: { atMost: 1.2 },
      },
      {
        ...grown,
        what: `the same with ${String(sessions)} agents over HTTP, each answered once`,
        value: megabytes(withSessions),
      },
      {
        ...grown,
        what: `the same with ${projects.toLocaleString('en')} projects in \`known.json\`, of which it keeps the newest thousand`,
        value: megabytes(withProjects),
      },
      {
        kind: 'measure',
        unit: 'MB',
        what: `the daemon at rest after ${(callers * callsEach).toLocaleString('en')} calls of ${String(callers)} agents over HTTP at once (${(rest.working / 1e6).toFixed(0)} MB behind the last of them)`,
        value: rest.after / 1e6,
        floor: 'the daemon before, idle after the first agent’s answer',
        floorValue: rest.before / 1e6,
        target: { atMost: 1.3 },
      },
    ] satisfies Measure[];
  },
};

/** Waits for the daemon to say that it collected what is unused; what it holds is asked before that, at work, and after it. */
async function loadAndRest(
  server: BenchServer,
  registry: FilledRegistry,
): Promise<{ before: number; working: number; after: number }> {
  const daemon = await startDaemon(server, registry);
  try {
    await daemon.load(1, 1);
    const before = await daemon.bytes();
    await daemon.load(callers, callsEach);
    const working = await daemon.bytes();
    await daemon.rested();
    return { before, working, after: await daemon.bytes() };
  } finally {
    await daemon.stop();
  }
}

function megabytes(bytes: readonly number[]): number {
  return figuresOf(bytes).median / 1e6;
}

async function bareBytes(): Promise<number> {
  const libraries = [
    'pg',
    '@modelcontextprotocol/sdk/server/mcp.js',
    '@modelcontextprotocol/sdk/server/streamableHttp.js',
  ];
  const script = `${libraries.map((name) => `require('${name}');`).join('')}
    setTimeout(() => process.stdout.write(String(process.memoryUsage.rss())), ${String(settleMs)})`;
  const child = spawn(process.execPath, ['-e', script], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  return Number(said);
}

interface MeasuredDaemon {
  bytes(): Promise<number>;
  openSessions(): Promise<void>;
  /** Agents that come at once, ask one after the other, and go. */
  load(agents: number, calls: number): Promise<void>;
  /** Settles when the log says that memory was given back. */
  rested(): Promise<void>;
  stop(): Promise<void>;
}

/** A daemon that knew the projects of a registry when it ended, and has been asked for one. */
async function startDaemon(server: BenchServer, { registry, rows, id }: FilledRegistry): Promise<MeasuredDaemon> {
  const stateFolder = await server.stateFolder();
  if (rows > 1) await writeKnown(server, registry, stateFolder);
  const env = environmentOf(stateFolder, server.url(registry));
  const client = await clientOf(stateFolder, env);
  const { outcome } = await client.call('resolve', { project: id });
  if (outcome !== 'resolved') throw new Error(`nothing was resolved: ${outcome}`);
  const closing: { close(): Promise<void> }[] = [];
  return {
    async bytes() {
      await delay(settleMs);
      return (await client.call('status', undefined)).memoryBytes;
    },
    async openSessions() {
      const address = await agentAddress(stateFolder);
      for (let session = 0; session < sessions; session += 1) {
        const agent = await agentOverHttp(address);
        closing.push(agent);
        await resolvedBy(agent, { project: id });
      }
    },
    async load(agents, calls) {
      const address = await agentAddress(stateFolder);
      await Promise.all(
        Array.from({ length: agents }, async () => {
          const agent = await agentOverHttp(address);
          for (let call = 0; call < calls; call += 1) await resolvedBy(agent, { project: id });
          await agent.close();
        }),
      );
    },
    async rested() {
      const limit = AbortSignal.timeout(restLimitMs);
      for await (const line of readLog(join(stateFolder, 'logs', 'registrar.log'), true, limit)) {
        if ((JSON.parse(line) as { operation?: string }).operation === 'memory') return;
      }
      throw new Error('the daemon gave no memory back');
    },
    async stop() {
      await Promise.all(closing.map((agent) => agent.close()));
      client.close();
      await runNode(env, registrar, 'stop');
    },
  };
}

async function writeKnown(server: BenchServer, registry: string, stateFolder: string): Promise<void> {
  const { rows } = await server.sql(registry).query<{ row: unknown }>(
    `select json_build_object('id', id, 'name', name, 'databaseName', database_name, 'description', description,
         'createdAt', created_at, 'updatedAt', updated_at, 'metadata', metadata) as row from projects`,
  );
  const at = new Date().toISOString();
  const known = rows.map(({ row }, index) => ({ at, folders: [`here\0/folder/${String(index)}`], row }));
  const text = JSON.stringify({ version: 1, registry: server.outboxKey(registry), projects: known, folders: [] });
  await writeFile(join(stateFolder, 'known.json'), text, { mode: 0o600 });
}
