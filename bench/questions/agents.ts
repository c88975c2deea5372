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
    const { bare, nothing, selectOne, lookOnce, byId, byDirectory } = await interleave(
      [
        { name: 'bare', run: () => bareAgent.call('nothing') },
        { name: 'nothing', run: () => agent.call('nothing') },
        { name: 'selectOne', run: () => agent.call('select_one') },
        { name: 'lookOnce', run: () => agent.call('look_once') },
        { name: 'byId', run: () => resolvedBy(agent, { project }) },
        { name: 'byDirectory', run: () => resolvedBy(agent, { directory }) },
      ],
      plan,
    );
    await Promise.all([agent.close(), bareAgent.close()]);
    const ways = [
      { what: '`resolve_project` over HTTP, by id', figures: byId, target: 1.3 },
      { what: '`resolve_project` over HTTP, by directory', figures: byDirectory, target: 1.5 },
    ];
    const sameEndpoint = 'an empty tool of the same endpoint';
    return [
      {
        kind: 'timing',
        what: 'an empty tool over HTTP',
        figures: nothing,
        floor: 'an empty tool of a server of the protocol’s library alone',
        floorFigures: bare,
        target: null,
      },
      ...ways.flatMap(({ target, ...way }): Timing[] => [
        {
          kind: 'timing',
          ...way,
          floor: `${sameEndpoint} that asks PostgreSQL tier 1’s one statement`,
          floorFigures: lookOnce,
          target,
          because: whatItTakes,
        },
        {
          kind: 'timing',
          ...way,
          floor: `${sameEndpoint} that asks PostgreSQL \`SELECT 1\``,
          floorFigures: selectOne,
          target: null,
        },
        { kind: 'timing', ...way, floor: sameEndpoint, floorFigures: nothing, target: null },
      ]),
    ];
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }
}

/** Measured in turns, load 10 on two processors. */
const whatItTakes =
  'beside the tool that asks the one statement, `resolve_project` has the pool’s limits, the rules, the trace, the line in the log, and an answer of some 1 kB to check and write, 0.1 to 0.2 ms together. By directory it also finds and reads the config file, 0.1 ms where folder and file are on local disks.';

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
