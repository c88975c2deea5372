import { RegistrarError } from '../protocol/registrarError.ts';
import { warning } from '../registry/failures.ts';
import { settleReference } from '../registry/settle/settleReference.ts';
import { fromMemoryIfUnreachable } from './fromMemory.ts';
import type { ResolutionPorts } from './ports.ts';
import type { Request, TierAnswer } from './tierAnswer.ts';

/**
 * Tier 3: the project that the workflow server calls active. Trouble with the server is a miss, because it is a hint
 * and not a claim.
 */
export async function workflowTier(request: Request, ports: ResolutionPorts): Promise<TierAnswer> {
  if (!ports.workflow) return { kind: 'skipped', reason: 'no workflow server is configured' };
  const answer = await ports.workflow.activeProject();
  if (answer.kind !== 'project') return { kind: 'missed', reason: answer.reason };
  try {
    const settled = await fromMemoryIfUnreachable(
      request,
      ports.registry,
      { reference: answer.id, folder: null },
      (options) => settleReference({ id: answer.id }, ports.registry, options),
    );
    return {
      kind: 'matched',
      reason: `the workflow server's active project is ${answer.id}`,
      settled,
      configPath: null,
    };
  } catch (error) {
    if (!(error instanceof RegistrarError) || error.code !== 'PROJECT_NOT_FOUND') throw error;
    const message = `The workflow server's active project ${answer.id} is not in the registry.`;
    return {
      kind: 'missed',
      reason: `the registry lacks the active project ${answer.id}`,
      warnings: [
        warning('WORKFLOW_UNKNOWN_PROJECT', message, 'Choose another active project there, or register this one.'),
      ],
    };
  }
}
