import { registrarCommand } from '../protocol/commandText.ts';
import type { ResolveParams } from '../protocol/methods.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import type { Attempt, AttemptName, Resolution, ServerLabel, SyncState, Tier, Warning } from '../protocol/model.ts';
import { reportOf, type ErrorReport } from '../protocol/registrarError.ts';
import { quoted } from '../protocol/visibleText.ts';
import { askerOf } from '../registry/evidence/evidence.ts';
import { warning } from '../registry/failures.ts';
import { projectOf } from '../registry/model.ts';
import { requireExpected } from '../registry/settle/settle.ts';
import type { Settled } from '../registry/settle/settleRun.ts';
import { configTier } from './configTier.ts';
import { defaultTier } from './defaultTier.ts';
import { explicitTier } from './explicitTier.ts';
import type { ResolutionPorts } from './ports.ts';
import type { Request, TierAnswer } from './tierAnswer.ts';
import { workflowTier } from './workflowTier.ts';

interface TierEntry {
  tier: Tier;
  name: AttemptName;
  ask: (request: Request, ports: ResolutionPorts, noteConfig: (path: string) => void) => Promise<TierAnswer>;
}

const tiers: readonly TierEntry[] = [
  { tier: 1, name: 'explicit', ask: explicitTier },
  { tier: 2, name: 'config', ask: configTier },
  { tier: 3, name: 'workflow', ask: workflowTier },
  { tier: 4, name: 'default', ask: defaultTier },
];

/**
 * Asks the tiers in order, each at most once, until one answers. A refusal is an answer, not an exception, and every
 * answer carries the trace of what was asked.
 *
 * @param params what the caller said; `directory` is an absolute path
 * @param server the PostgreSQL that answers, for the reader
 */
export async function resolve(
  params: ResolveParams,
  ports: ResolutionPorts,
  server: ServerLabel,
  onStep?: OnStep,
): Promise<Resolution> {
  const request: Request = {
    directory: params.directory ?? null,
    project: params.project ?? null,
    expect: params.expect ?? null,
    dryRun: params.dryRun ?? false,
    onStep,
    asker: askerOf(params.agent),
    isAnew: params.anew ?? false,
  };
  const answer = emptyAnswer(request, server);
  for (const { tier, name, ask } of tiers) {
    const startedAt = ports.clock();
    const attempt = (outcome: Attempt['outcome'], reason: string): void => {
      answer.trace.push({ tier, name, outcome, reason, durationMs: durationSince(startedAt, ports) });
    };
    try {
      const given = await ask(request, ports, (path) => {
        answer.configPath = path;
      });
      // An answer from memory has not passed the rules that compare a row with `expect`.
      if (given.kind === 'matched' && given.settled.row) requireExpected(request.expect, given.settled.row);
      attempt(given.kind, given.reason);
      if (given.kind === 'matched') return withProject(answer, tier, given, request, server);
      if (given.kind === 'missed') answer.warnings.push(...(given.warnings ?? []));
    } catch (error) {
      const report = resolutionReport(error);
      attempt('failed', report.message);
      return { ...answer, outcome: 'refused', tier, error: report };
    }
  }
  return { ...answer, outcome: 'unresolved', error: unresolved(answer) };
}

/** An error as it is shown. Anything that was not thrown on purpose is a defect, and is reported without internals. */
export function resolutionReport(error: unknown): ErrorReport {
  return reportOf(error, 'Please report it with the log (registrar log).', quoted);
}

function emptyAnswer(request: Request, server: ServerLabel): Resolution {
  return {
    outcome: 'unresolved',
    project: null,
    server,
    tier: null,
    created: false,
    stale: false,
    sync: null,
    directory: request.directory,
    configPath: null,
    trace: [],
    wouldDo: null,
    warnings: [],
    error: null,
  };
}

function withProject(
  answer: Resolution,
  tier: Tier,
  given: Extract<TierAnswer, { kind: 'matched' }>,
  request: Request,
  server: ServerLabel,
): Resolution {
  const { settled } = given;
  const { row } = settled;
  answer.trace.push({ tier: null, name: 'identity', ...settled.identity, durationMs: 0 });
  const warnings = [...answer.warnings, ...settled.warnings, ...stateWarnings(settled, server)];
  return {
    ...answer,
    outcome: row ? 'resolved' : 'unresolved',
    project: row && projectOf(row),
    tier,
    created: settled.created,
    stale: settled.stale !== null,
    sync: settled.sync ?? (settled.stale && lastKnown(settled.stale)),
    configPath: given.configPath,
    wouldDo: settled.wouldDo ?? (request.dryRun ? [] : null),
    warnings,
  };
}

function stateWarnings(settled: Settled, server: ServerLabel): Warning[] {
  const { row, sync, stale } = settled;
  if (!row) return [];
  if (stale) return [staleWarning(stale.because, server)];
  const reason = sync?.error?.message ?? 'the registry could not be written';
  if (sync?.state === 'pending') {
    const message = `${reason}; saved on this machine, and retried until it is registered`;
    return [warning('PENDING', message, 'Nothing; the project works meanwhile.')];
  }
  if (sync?.state === 'parked') {
    const rename = registrarCommand('projects rename', [row.id.slice(0, 8), 'NAME']);
    const hint = `${registrarCommand('use', [row.name])} | ${rename}`;
    return [warning('PARKED', reason, hint)];
  }
  return [];
}

/** The state of a remembered project; `error` tells a server that is down from a registry that is busy, full or closed. */
function lastKnown({ since, because }: NonNullable<Settled['stale']>): SyncState {
  return { state: 'synced', since, error: { code: because.code, message: because.message } };
}

/** A server that does not answer takes the project's database with it; a registry that may not be read does not. */
function staleWarning(because: ErrorReport, server: ServerLabel): Warning {
  const why = because.message.replace(/\.$/, '');
  if (because.code !== 'REGISTRY_UNREACHABLE') return warning('STALE', `from memory: ${why}`, because.hint);
  const message = `${server.address} does not answer; queries will fail (${why})`;
  return warning('STALE', message, 'registrar postgres show says which server that is; start it or choose another.');
}

function unresolved(answer: Resolution): ErrorReport {
  const looked = answer.directory === null ? undefined : answer.trace.find(({ name }) => name === 'config');
  // A folder with a config file that opts out (auto_switch) does not need a second one.
  const hint =
    answer.configPath === null
      ? 'registrar init NAME | registrar use PROJECT'
      : 'Name the project (registrar resolve --project PROJECT), or remove auto_switch from the config.';
  return {
    code: 'UNRESOLVED',
    message: looked?.reason ?? 'no project was named, and no directory has one',
    hint,
    details: { tried: answer.trace.map(({ name, reason }) => ({ name, reason })) },
  };
}

function durationSince(startedAt: number, ports: ResolutionPorts): number {
  return Math.round((ports.clock() - startedAt) * 100) / 100;
}
