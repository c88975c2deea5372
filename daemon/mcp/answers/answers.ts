import type { Resolution } from '../../protocol/model.ts';
import { reportOf, type ErrorReport } from '../../protocol/registrarError.ts';
import { quoted } from '../../protocol/visibleText.ts';
import { errorText, resolutionText, sourceTexts } from './answerText.ts';
import type { DirectorySource } from '../bindings.ts';
import { notices, withoutServerWords } from './fence.ts';
import type { ToolAnswer } from '../tools/toolModel.ts';

/** What was asked for. @param structured a type of the protocol, which JSON can carry */
export function done(structured: object, text: string, notice: string = notices.registry): ToolAnswer {
  return { structured: { notice, ...structured }, text, isError: false };
}

/** A resolution, refused or not. @param more what the tool says besides */
export function resolutionAnswer(
  given: Resolution,
  source: DirectorySource | null,
  more: Record<string, unknown> = {},
): ToolAnswer {
  const resolution = traced(given, source);
  return {
    structured: { notice: noticeOf(resolution.error), ...resolution, directorySource: source, ...more },
    text: resolutionText(resolution, source),
    isError: resolution.error !== null,
  };
}

/** A resolution whose trace also says where the directory came from in which the config file was searched. */
export function traced(resolution: Resolution, source: DirectorySource | null): Resolution {
  const { error } = resolution;
  const trace = resolution.trace.map((attempt) => {
    const reason = withoutServerWords(attempt.reason, error?.details);
    const isAsked = attempt.name === 'config' && source !== null;
    return { ...attempt, reason: isAsked ? `${reason} (directory from ${sourceTexts[source]})` : reason };
  });
  return { ...resolution, trace, error: error && ownWords(error) };
}

/** An error as agents get it: the server's words are only in its details. */
export function ownWords(error: ErrorReport): ErrorReport {
  const { message, hint, details } = error;
  return { ...error, message: withoutServerWords(message, details), hint: withoutServerWords(hint, details) };
}

/** A refusal without a resolution. */
export function refusal(refused: ErrorReport): ToolAnswer {
  const error = ownWords(refused);
  return { structured: { notice: noticeOf(error), error }, text: errorText(error), isError: true };
}

/** The beginning of a refusal. */
export function noticeOf(error: ErrorReport | null): string {
  return error?.details?.['server'] == null ? notices.registry : notices.server;
}

/** What was thrown, as agents get it. */
export function agentReport(error: unknown): ErrorReport {
  return reportOf(error, 'Tell the user; registrar log has the details.', quoted);
}
