import type { ResolveParams } from '../../protocol/methods.ts';
import type { Resolution } from '../../protocol/model.ts';
import { resolutionText } from '../answers/answerText.ts';
import { done, noticeOf, traced } from '../answers/answers.ts';
import type { DirectorySource } from '../bindings.ts';
import { notices } from '../answers/fence.ts';
import { explained, locate, type Reference } from '../locate.ts';
import type { ToolAnswer, ToolCall } from './toolModel.ts';

/** What the resolved project's database said; `found` is null when no project was resolved. */
export interface Asked {
  resolution: Resolution;
  found: { structured: object; text: string } | null;
}

/** Queries the resolved project's own database. */
export async function onDatabase(
  reference: Reference,
  call: ToolCall,
  ask: (params: ResolveParams) => Promise<Asked>,
): Promise<ToolAnswer> {
  const located = await locate(reference, call);
  if ('unresolved' in located) return answered({ resolution: located.unresolved, found: null }, null);
  const asked = await ask(located.params);
  return answered({ ...asked, resolution: explained(asked.resolution, located) }, located.source);
}

function answered({ resolution: given, found }: Asked, source: DirectorySource | null): ToolAnswer {
  const resolution = traced(given, source);
  if (found) return done({ resolution, ...found.structured }, found.text, notices.database);
  const { error } = resolution;
  return {
    structured: { notice: noticeOf(error), resolution, error },
    text: resolutionText(resolution, source),
    isError: true,
  };
}
