import type { ResolveParams } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';
import { resolutionText } from './answerText.ts';
import type { DirectorySource } from './bindings.ts';
import { explained, locate, type Reference } from './locate.ts';
import type { ToolAnswer, ToolCall } from './toolModel.ts';

/**
 * Asks something of the resolved project's own database.
 *
 * @param ask gives the tool's answer, or the resolution alone when no project was resolved
 */
export async function onDatabase(
  reference: Reference,
  call: ToolCall,
  ask: (params: ResolveParams) => Promise<ToolAnswer | Resolution>,
): Promise<ToolAnswer> {
  const located = await locate(reference, call);
  if ('unresolved' in located) return notResolved(located.unresolved, null);
  const answer = await ask(located.params);
  return 'outcome' in answer ? notResolved(explained(answer, located), located.source) : answer;
}

function notResolved(resolution: Resolution, source: DirectorySource | null): ToolAnswer {
  const { error } = resolution;
  return { structured: { resolution, error }, text: resolutionText(resolution, source), isError: true };
}
