import type { DaemonClient } from '../../daemon/client/daemonClient.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import type { Entry, Ledger } from './ledger.ts';
import type { World } from './world.ts';

export interface Verdict {
  found: number;
  forgotten: number;
  problems: string[];
}

/** With everything up again: each project is found by folder and id, or was forgotten on purpose, and nothing else is there. */
export async function judge(world: World, ledger: Ledger): Promise<Verdict> {
  const verdict: Verdict = { found: 0, forgotten: 0, problems: [] };
  const ids = new Set<string>();
  const windows = await Promise.all(world.daemons.map((daemon) => daemon.window()));
  try {
    for (const [index, entry] of ledger.entries().entries()) {
      const window = windows[index % windows.length];
      if (window) await judgeOne(window, entry, verdict, ids);
    }
    for (const window of windows) {
      const { pending, parked } = await window.call('syncNow', undefined);
      if (pending.length + parked.length > 0)
        verdict.problems.push(`${String(pending.length)} pending, ${String(parked.length)} parked`);
      const { findings } = await window.call('drift', undefined);
      verdict.problems.push(...findings.map(({ kind, message }) => `drift: ${kind}: ${message}`));
    }
    const [window] = windows;
    if (window) verdict.problems.push(...(await strangers(window, ids)));
  } finally {
    for (const window of windows) window.close();
  }
  return verdict;
}

async function judgeOne(window: DaemonClient, entry: Entry, verdict: Verdict, ids: Set<string>): Promise<void> {
  const { directory, id, names } = entry;
  const answer = await window.call('resolve', { directory });
  const { project, error } = answer;
  if (project === null || answer.outcome !== 'resolved') {
    if (entry.forgotten !== 'no' && error?.code === 'PROJECT_FORGOTTEN') verdict.forgotten += 1;
    else
      verdict.problems.push(
        `${directory} (${id ?? 'no id'}) is lost: ${error?.code ?? answer.outcome} ${error?.message ?? ''}`,
      );
    return;
  }
  verdict.found += 1;
  ids.add(project.id);
  if (entry.forgotten === 'yes') verdict.problems.push(`${project.id} was forgotten and is back`);
  if (id !== null && project.id !== id) verdict.problems.push(`${directory} was ${id} and is ${project.id}`);
  if (!names.includes(project.name))
    verdict.problems.push(`${project.id} is "${project.name}", not ${names.join(' or ')}`);
  if (answer.stale) verdict.problems.push(`${project.id} is answered from memory`);
  const codes = answer.warnings.map(({ code }) => code).filter((code) => code === 'DATABASE_RECREATED');
  if (codes.length > 0) verdict.problems.push(`${project.id} lost its database`);
  const byId = await window.call('resolve', { project: project.id }).catch((refusal: unknown) => {
    if (!(refusal instanceof RegistrarError)) throw refusal;
    return null;
  });
  if (byId?.project?.id !== project.id) verdict.problems.push(`${project.id} is not found by its id`);
}

/** Rows that nobody in this run made. */
async function strangers(window: DaemonClient, ids: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null | undefined = null; cursor !== undefined;) {
    const page: { projects: { id: string; name: string }[]; nextCursor: string | null } = await window.call(
      'listProjects',
      { limit: 1000, cursor },
    );
    found.push(
      ...page.projects.filter(({ id }) => !ids.has(id)).map(({ id, name }) => `"${name}" (${id}) is nobody's`),
    );
    cursor = page.nextCursor ?? undefined;
  }
  return found;
}
