import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { optionsVariable, type AgentServerEnds, type AgentServerOptions } from '../agentEndpoints.ts';
import { agentOverHttp, agentOverStdio, type BenchAgent } from '../agentClients.ts';
import type { BenchServer } from '../benchServer.ts';
import { interleave } from '../harness.ts';
import { agentAddress, environmentOf, registrar, runNode } from '../installation.ts';
import type { Question, Result, Timing } from '../result.ts';

const plan = { rounds: 250, perRound: 4, warmUp: 500 };

/** What an agent waits for: the endpoint beside tools that do nothing, and the forwarder beside the endpoint. */
export const agents: Question = {
  name: 'agents',
  async ask(server) {
    return [...(await endpointAlone(server)), ...(await forwarding(server))];
  },
};

/** One process serves all, so that they differ in nothing but the tool; the agent is another, as agents are. */
async function endpointAlone(server: BenchServer): Promise<Timing[]> {
  const directory = await server.workspace({ name: 'of an agent' });
  const options: AgentServerOptions = {
    url: server.url('registry_agents'),
    stateFolder: await server.stateFolder(),
    home: server.home,
    directory,
  };
  const child = fork(join(import.meta.dirname, '..', 'agentServer.ts'), {
    env: { ...process.env, [optionsVariable]: JSON.stringify(options) },
  });
  const ended = once(child, 'exit');
  try {
    const [ends] = (await Promise.race([once(child, 'message'), endedEarly(ended)])) as [AgentServerEnds];
    const project = ends.projectId;
    const [agent, bareAgent] = await Promise.all([agentOverHttp(ends.product), agentOverHttp(ends.bare)]);
    const { bare, nothing, asking, byId, byDirectory } = await interleave(
      [
        { name: 'bare', run: () => bareAgent.call('nothing') },
        { name: 'nothing', run: () => agent.call('nothing') },
        { name: 'asking', run: () => agent.call('select_one') },
        { name: 'byId', run: () => resolvedBy(agent, { project }) },
        { name: 'byDirectory', run: () => resolvedBy(agent, { directory }) },
      ],
      plan,
    );
    await Promise.all([agent.close(), bareAgent.close()]);
    const timing = { kind: 'timing', because: whatItTakes } as const;
    const alone = {
      floor: 'an empty tool of the same endpoint; the target is 1.5 × this and what `SELECT 1` adds to it',
      floorFigures: nothing,
      target: rounded(1.5 + (asking.median - nothing.median) / nothing.median),
    };
    const withQuestion = {
      floor: 'an empty tool of the same endpoint that asks PostgreSQL `SELECT 1`',
      floorFigures: asking,
      target: null,
    };
    const [id, folder] = ['`resolve_project` over HTTP, by id', '`resolve_project` over HTTP, by directory'] as const;
    return [
      {
        kind: 'timing',
        what: 'an empty tool over HTTP',
        figures: nothing,
        floor: 'an empty tool of a server of the protocol’s library alone',
        floorFigures: bare,
        target: null,
      },
      { ...timing, ...alone, what: id, figures: byId },
      { ...timing, ...alone, what: folder, figures: byDirectory },
      { kind: 'timing', ...withQuestion, what: id, figures: byId },
      { kind: 'timing', ...withQuestion, what: folder, figures: byDirectory },
    ];
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }
}

/** Measured in the serving process between the request's arrival and its answer's leaving, medians. */
const whatItTakes =
  'of 0.52 ms in the serving process by id, 0.17 ms are the library’s and HTTP’s work, as for an empty tool, 0.19 ms the sending of the statement and waiting for its answer (0.13 ms for `SELECT 1`), and 0.13 ms what is around the statement: pool and limits, reading the answer, the rules, the trace. By directory 0.08 ms are added before the statement, for finding and reading the config file. Repeated without waits in between, the same code takes a quarter of that: after each wait it comes back to a processor whose caches others have filled.';

async function endedEarly(ended: Promise<unknown>): Promise<never> {
  await ended;
  throw new Error('the server of agents ended before it served any');
}

/** The daemon as it is built, asked by the same call on both ways. */
async function forwarding(server: BenchServer): Promise<Result[]> {
  const stateFolder = await server.stateFolder();
  const env = environmentOf(stateFolder, server.url('registry_forwarding'));
  const directory = await server.workspace({ name: 'of a forwarded agent' });
  try {
    await runNode(env, registrar, 'resolve', '--directory', directory);
    const direct = await agentOverHttp(await agentAddress(stateFolder));
    const forwarded = await agentOverStdio([registrar, 'mcp', '--directory', directory], env);
    const { overHttp, overStdio } = await interleave(
      [
        { name: 'overHttp', run: () => resolvedBy(direct, { directory }) },
        { name: 'overStdio', run: () => resolvedBy(forwarded, { directory }) },
      ],
      plan,
    );
    const memory = await memoryOf(forwarded.pid);
    await Promise.all([direct.close(), forwarded.close()]);
    return [
      {
        kind: 'timing',
        what: '`resolve_project` over `registrar mcp`',
        figures: overStdio,
        floor: 'the same over HTTP, asked of the same daemon; the target is 1 ms more',
        floorFigures: overHttp,
        target: rounded(1 + 1 / overHttp.median),
      },
      memory,
    ];
  } finally {
    await runNode(env, registrar, 'stop');
  }
}

/** Of a forwarder that has carried all these calls. */
async function memoryOf(pid: number): Promise<Result> {
  const what = 'resident memory of `registrar mcp`, at work';
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) return { kind: 'skipped', what, why: 'this system does not tell it' };
  const value = (Number(kilobytes) * 1024) / 1e6;
  return { kind: 'measure', what, value, unit: 'MB', floor: 'its limit', floorValue: 60, target: { atMost: 1 } };
}

export async function resolvedBy(agent: BenchAgent, args: Record<string, unknown>): Promise<void> {
  const { outcome, stale } = await agent.call('resolve_project', args);
  if (outcome !== 'resolved' || stale === true) throw new Error(`nothing was resolved: ${String(outcome)}`);
}

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}
