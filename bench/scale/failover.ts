import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonClient } from '../../daemon/client/daemonClient.ts';
import { OwnServer } from '../../test/support/ownServer.ts';
import { headerLines, lineOf, Load } from './load.ts';
import { withWindows } from './withWindows.ts';

const phaseMs = 8000;
/** Somebody, or a tool, needs this long to see that the primary is gone. */
const noticedAfterMs = 5000;
const registry = 'registry_failover';

/** Daemons against a primary with a synchronous standby, which takes over while they are asked. @returns problems */
export async function failover(daemons: number): Promise<string[]> {
  const primary = await OwnServer.start();
  const standby = await primary.standby();
  try {
    const { username, password } = new URL(primary.url);
    const hosts = `127.0.0.1:${String(primary.port)},127.0.0.1:${String(standby.port)}`;
    const url = `postgresql://${username}:${password}@${hosts}/${registry}?target_session_attrs=read-write&sslmode=disable`;
    return await withWindows(url, daemons, async ({ fleet, windows, known }) => {
      // What every daemon has been asked for, each knows when the server is gone.
      for (const window of windows) for (const { directory } of known) await window.call('resolve', { directory });
      const load = new Load(fleet, known, 0.02);
      load.enter('before');
      load.start(windows);
      await delay(phaseMs);
      load.enter('primary killed');
      await primary.kill();
      await delay(noticedAfterMs);
      load.enter('standby is promoted');
      const promotedAt = performance.now();
      await standby.promote();
      await untilFresh(windows, known[0]?.directory ?? '');
      const backMs = performance.now() - promotedAt;
      load.enter('after');
      await delay(phaseMs);
      await load.stop();
      console.log(
        `\n${String(daemons)} daemons, a primary that is killed and a synchronous standby that is promoted\n`,
      );
      for (const line of [...headerLines, ...load.phases.map(lineOf)]) console.log(line);
      console.log(
        `From the order to promote until every daemon answered from the registry again: ${backMs.toFixed(0)} ms`,
      );
      return lost(windows, load);
    });
  } finally {
    await primary.close();
    await standby.close();
  }
}

async function untilFresh(windows: readonly DaemonClient[], directory: string): Promise<void> {
  for (const window of windows) {
    for (;;) {
      const { outcome, stale } = await window.call('resolve', { directory });
      if (outcome === 'resolved' && !stale) break;
      await delay(10);
    }
  }
}

/** Every project that was acknowledged is found by folder and id; what was refused is completed; nothing is left over. */
async function lost(windows: readonly DaemonClient[], { known, refused }: Load): Promise<string[]> {
  const problems: string[] = [];
  const [window] = windows;
  if (!window) return problems;
  for (const { id, directory } of known) {
    for (const params of [{ directory }, { project: id }]) {
      const { project, stale, warnings } = await window.call('resolve', params);
      if (project?.id !== id || stale) problems.push(`${id} is lost`);
      if (warnings.some(({ code }) => code === 'DATABASE_RECREATED')) problems.push(`${id} lost its database`);
    }
  }
  for (const directory of new Set(refused)) {
    const { outcome, error } = await window.call('resolve', { directory });
    if (outcome !== 'resolved') problems.push(`${directory} is refused again: ${error?.message ?? ''}`);
  }
  const { findings } = await window.call('drift', undefined);
  problems.push(...findings.map(({ kind, message }) => `drift: ${kind}: ${message}`));
  console.log(`${String(known.length)} projects acknowledged, ${String(problems.length)} problems`);
  return problems;
}
