import type { Attempt, Project, Resolution } from '../protocol/model.ts';
import type { RegistrarError } from '../protocol/registrarError.ts';
import { warning } from '../registry/failures.ts';

/** Why a database was not handed over: it did not say that it belongs to the project, or it could not be asked. */
export class NotProved extends Error {
  readonly reason: RegistrarError;

  constructor(reason: RegistrarError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/** What `give` returned, or a refused resolution and null. */
export interface HandedOver<T> {
  resolution: Resolution;
  given: T | null;
}

/**
 * Resolves, and hands over the project's database if the database itself agrees. Answers from memory are for display;
 * here they only say which database to ask.
 *
 * @param give proves the database and uses it; throws NotProved where it must not be used
 */
export async function handOver<T>(
  resolve: () => Promise<Resolution>,
  give: (project: Project) => Promise<T>,
): Promise<HandedOver<T>> {
  const resolution = await resolve();
  if (!isUsable(resolution)) return { resolution, given: null };
  try {
    return proved(resolution, await give(resolution.project));
  } catch (error) {
    if (!(error instanceof NotProved)) throw error;
    if (resolution.stale || !changesMeanwhile.has(error.reason.code)) return refused(resolution, error.reason);
  }
  // Between the registry's answer and the database's, somebody may have renamed, marked or created it, so this resolves
  // once more.
  const again = await resolve();
  if (!isUsable(again)) return { resolution: again, given: null };
  try {
    return proved(again, await give(again.project));
  } catch (error) {
    if (error instanceof NotProved) return refused(again, error.reason);
    throw error;
  }
}

const changesMeanwhile: ReadonlySet<string> = new Set(['DATABASE_FOREIGN', 'DATABASE_MISSING', 'MARKER_MISSING']);

/** False also where a dry run only said that the database would be made. */
function isUsable(resolution: Resolution): resolution is Resolution & { project: Project } {
  const { outcome, project, wouldDo } = resolution;
  return outcome === 'resolved' && project !== null && (wouldDo?.length ?? 0) === 0;
}

function proved<T>(resolution: Resolution, given: T): HandedOver<T> {
  const said = withIdentity(resolution, 'matched', 'the database itself says so');
  if (!resolution.stale) return { resolution: said, given };
  const warnings = resolution.warnings.map((one) => {
    if (one.code !== 'STALE') return one;
    return warning(
      'STALE',
      'The registry could not be asked; the database itself says that it is the project’s.',
      one.hint,
    );
  });
  return { resolution: { ...said, warnings }, given };
}

function refused(resolution: Resolution, reason: RegistrarError): HandedOver<never> {
  const error = reason.toReport();
  return {
    resolution: {
      ...withIdentity(resolution, 'failed', error.message),
      outcome: 'refused',
      project: null,
      stale: false,
      sync: null,
      warnings: resolution.warnings.filter(({ code }) => code !== 'STALE'),
      error,
    },
    given: null,
  };
}

function withIdentity(resolution: Resolution, outcome: Attempt['outcome'], reason: string): Resolution {
  const trace = resolution.trace.filter(({ name }) => name !== 'identity');
  return { ...resolution, trace: [...trace, { tier: null, name: 'identity', outcome, reason, durationMs: 0 }] };
}
