import { setTimeout as delay } from 'node:timers/promises';
import { OwnServer } from '../../test/support/ownServer.ts';
import { startPgBouncer, whyNoPgBouncer } from '../../test/support/pgBouncer.ts';
import type { Fleet } from '../fleet.ts';
import { headerLines, lineOf, Load, type Known } from './load.ts';
import { withWindows } from './withWindows.ts';

const phaseMs = 8000;

/** Daemons against one PostgreSQL, directly and through PgBouncer in transaction mode. */
export async function pooled(daemons: number): Promise<{ version: string; problems: string[] }> {
  const why = whyNoPgBouncer();
  const server = await OwnServer.start();
  try {
    const url = new URL(server.url);
    const [row] = await server.sql('show server_version');
    const version = String(row?.['server_version']);
    console.log(`\n${String(daemons)} daemons against one PostgreSQL\n`);
    const problems = await measured(server, url, daemons, 'directly');
    if (why !== null) {
      console.log(`\nThrough PgBouncer: ${why}`);
      return { version, problems };
    }
    const { port, username: user, password } = url;
    const pgBouncer = await startPgBouncer({ port: Number(port), user, password: decodeURIComponent(password) }, 8);
    try {
      url.port = String(pgBouncer.port);
      problems.push(...(await measured(server, url, daemons, 'through PgBouncer')));
      return { version, problems };
    } finally {
      await pgBouncer.close();
    }
  } finally {
    await server.close();
  }
}

async function measured(server: OwnServer, address: URL, daemons: number, how: string): Promise<string[]> {
  const url = new URL(address);
  const registry = `registry_${how.replaceAll(' ', '_').toLowerCase()}`;
  url.pathname = `/${registry}`;
  return withWindows(url.href, daemons, async ({ fleet, windows, known }) => {
    const connections: number[] = [];
    const load = new Load(fleet, known, 0);
    load.enter(`one daemon, ${how}`);
    load.start(windows.slice(0, 1));
    await delay(phaseMs);
    await load.stop();
    const all = new Load(fleet, known, 0);
    all.enter(`${String(daemons)} daemons, ${how}`);
    all.start(windows);
    for (let sample = 0; sample < 8; sample += 1) {
      await delay(phaseMs / 8);
      connections.push(await connectionsOf(server, registry));
    }
    await all.stop();
    const making = new Load(fleet, known, 0.1);
    making.enter(`the same, one question of ten makes a project`);
    making.start(windows);
    await delay(phaseMs);
    await making.stop();
    for (const line of [...headerLines, ...[load, all, making].flatMap(({ phases }) => phases.map(lineOf))])
      console.log(line);
    console.log(`Connections of the server to the registry, at most: ${String(Math.max(...connections))}`);
    return togetherOnce(fleet, making.known);
  });
}

/** All daemons ask for the same new folder at once, and then each for every project. */
async function togetherOnce(fleet: Fleet, known: readonly Known[]): Promise<string[]> {
  const problems: string[] = [];
  const windows = await Promise.all(fleet.daemons.map((daemon) => daemon.window()));
  try {
    const directory = await fleet.workspace('asked by all at once');
    const answers = await Promise.all(windows.map((window) => window.call('resolve', { directory })));
    const ids = new Set(answers.map(({ project, outcome }) => project?.id ?? outcome));
    if (ids.size !== 1) problems.push(`one folder asked for by all at once: ${[...ids].join(', ')}`);
    for (const window of windows) {
      for (const { id } of known) {
        const { project } = await window.call('resolve', { project: id });
        if (project?.id !== id) problems.push(`${id} is lost`);
      }
    }
    const [first] = windows;
    const report = await first?.call('drift', undefined);
    problems.push(...(report?.findings ?? []).map(({ kind, message }) => `drift: ${kind}: ${message}`));
  } finally {
    for (const window of windows) window.close();
  }
  return problems;
}

async function connectionsOf(server: OwnServer, registry: string): Promise<number> {
  const [row] = await server.sql(
    `select count(*)::int as connections from pg_stat_activity where datname = '${registry}' and backend_type = 'client backend'`,
  );
  return Number(row?.['connections']);
}
