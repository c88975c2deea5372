import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import type { RegistryReading } from '../postgres/registry/driftReading.ts';
import { registrarCommand } from '../protocol/commandText.ts';
import {
  driftNotes,
  type DriftFinding,
  type DriftReport,
  type PlannedRepair,
  type RepairResult,
} from '../protocol/drift.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { quoted } from '../protocol/visibleText.ts';
import type { Drifted, SeenConfig } from '../registry/drift/driftFindings.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import { applyRepair, type Repair, type Repaired } from '../registry/drift/repair.ts';
import { resolutionReport } from '../resolution/resolve.ts';
import { compareDrift } from '../registry/drift/driftComparison.ts';
import type { OutboxEntry } from '../registry/delivery/outboxRules.ts';

/** What drift reads, and what repairs need. */
export interface DriftPorts {
  registry: RegistryPorts;
  readRegistry(): Promise<RegistryReading>;
  outbox(): OutboxEntry[];
  /** Tries to deliver everything that is pending; resolves when that was tried. */
  deliver(): Promise<void>;
  /** Folders of this machine that had a config file when they were resolved. */
  folders(): string[];
  readConfig(path: string): Promise<WorkspaceConfig>;
}

/**
 * Reports where config files, outbox, registry, databases and markers disagree, what that risks, and what to do.
 *
 * @throws RegistrarError REGISTRY_UNREACHABLE, CREDENTIALS_REQUIRED, REGISTRY_FORBIDDEN, REGISTRY_SCHEMA
 */
export async function drift(ports: DriftPorts): Promise<DriftReport> {
  return reportOn(await findDrift(ports));
}

/**
 * Applies the automatic actions of a plan that somebody has seen, each only if what it is about has not changed.
 *
 * @throws RegistrarError PLAN_STALE if the plan has changed; nothing is done then
 */
export async function repair(planId: string, ports: DriftPorts, onStep?: OnStep): Promise<RepairResult> {
  const found = await findDrift(ports);
  const report = reportOn(found);
  if (report.planId !== planId) throw planStale(planId, report.planId);
  const result: RepairResult = { planId, applied: [], skipped: [], failed: [] };
  let delivering: Promise<void> | null = null;
  const apply = async (one: Repair): Promise<Repaired> => {
    if (one.action !== 'deliver') return applyRepair(one, ports.registry);
    delivering ??= ports.deliver();
    await delivering;
    return requireDelivered(one.id, ports.outbox());
  };
  const count = found.flatMap(({ repairs }) => repairs).length;
  let begun = 0;
  for (const { finding, repairs } of found) {
    for (const one of repairs) {
      const planned = plannedRepair(finding, one.action);
      begun += 1;
      onStep?.(`${begun} of ${count}: ${planned.description}`);
      try {
        result[await apply(one)].push(planned);
      } catch (error) {
        result.failed.push({ ...planned, error: resolutionReport(error) });
      }
    }
  }
  return result;
}

/** Notes are not part of the plan: another registry's databases come and go on the same server. */
function reportOn(found: Drifted[]): DriftReport {
  const findings = found.map(({ finding }) => finding);
  const plan = findings.filter(({ kind }) => !driftNotes.includes(kind));
  return { planId: planIdOf(plan), ok: plan.length === 0, findings };
}

/** A hash of what is wrong and what would be done about it, in parts, because there may be many. */
function planIdOf(plan: readonly DriftFinding[]): string {
  const hash = createHash('sha256');
  for (let start = 0; start < plan.length; start += 1000)
    hash.update(
      plan
        .slice(start, start + 1000)
        .map(lineOf)
        .join(),
    );
  return hash.digest('hex').slice(0, 16);
}

function lineOf({ kind, project, database, message, actions }: DriftFinding): string {
  let line = `${kind}\0${project?.id ?? ''}\0${database ?? ''}\0${message}`;
  for (const { action, automatic, description } of actions) line += `\0${action}${automatic ? ` ${description}` : ''}`;
  return line;
}

async function findDrift(ports: DriftPorts): Promise<Drifted[]> {
  const { catalog, folders, origin } = ports.registry;
  // Read before the rows: a project that is created or delivered in between is then in both, instead of in neither.
  const configs = await readConfigs(ports);
  const outbox = ports.outbox();
  const { rows, databases } = await ports.readRegistry();
  const recorded = rows.flatMap(({ row: { registrar } }) =>
    registrar.folder?.host === origin.host ? [registrar.folder.path] : [],
  );
  const gone = await filterAsync([...new Set(recorded)], async (path) => !(await folders.exists(path)));
  return compareDrift({
    registry: catalog.registry,
    host: origin.host,
    now: origin.now(),
    schemaVersion: (await catalog.projectSchema())?.version ?? null,
    rows,
    databases,
    outbox,
    configs,
    goneFolders: new Set(gone),
  });
}

/** Config files that cannot be read make no claim; a resolve there says why. */
async function readConfigs(ports: DriftPorts): Promise<SeenConfig[]> {
  const configs: SeenConfig[] = [];
  await filterAsync(ports.folders(), async (folder) => {
    try {
      const { path, name, id } = await ports.readConfig(join(folder, '.codebase-mcp', 'config.json'));
      configs.push({ path, name, id });
    } catch (error) {
      if (!(error instanceof RegistrarError)) throw error;
    }
    return false;
  });
  return configs;
}

/** The items that pass, asked a few at a time, so that a thousand folders do not take all file descriptors. */
async function filterAsync<T>(items: readonly T[], passes: (item: T) => Promise<boolean>): Promise<T[]> {
  const passed: T[] = [];
  for (let start = 0; start < items.length; start += 32) {
    const batch = items.slice(start, start + 32);
    const results = await Promise.all(batch.map(passes));
    passed.push(...batch.filter((_item, index) => results[index]));
  }
  return passed;
}

function requireDelivered(id: string, entries: OutboxEntry[]): 'applied' {
  const left = entries.find(({ row }) => row.id === id);
  if (!left) return 'applied';
  throw new RegistrarError({
    code: left.state === 'parked' ? 'PROJECT_CONFLICT' : 'REGISTRY_UNREACHABLE',
    message: `Project ${quoted(left.row.name)} could not be registered: ${left.error.message}.`,
    hint:
      left.state === 'parked'
        ? `${registrarCommand('use', [left.row.name])} | ${registrarCommand('projects rename', [left.row.id, 'NAME'])}`
        : 'Registrar tries again by itself; fix the cause to speed it up.',
  });
}

function plannedRepair(finding: Drifted['finding'], action: Repair['action']): PlannedRepair {
  const { kind, project, database, actions } = finding;
  const description = actions.find((candidate) => candidate.action === action)?.description ?? '';
  return {
    kind,
    ...(project ? { project } : {}),
    ...(database === undefined ? {} : { database }),
    action,
    description,
  };
}

function planStale(planId: string, current: string): RegistrarError {
  return new RegistrarError({
    code: 'PLAN_STALE',
    message: `Plan ${planId} is out of date. Nothing was done.`,
    hint: 'Look again: registrar drift',
    details: { planId, current },
  });
}
