import type { ErrorCode } from './codes.ts';

/** An error as it crosses a boundary: CLI `--json`, MCP structured content, control protocol. */
export interface ErrorReport {
  code: ErrorCode;
  /** What happened, one sentence, without secrets. */
  message: string;
  /** What to do next, never empty. */
  hint: string;
  details?: Record<string, unknown>;
}

/**
 * The one error type that Registrar throws on purpose. Anything else that surfaces is a defect and is reported as
 * `INTERNAL` by whoever catches it last.
 */
export class RegistrarError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Record<string, unknown> | undefined;

  constructor(report: ErrorReport, options?: { cause?: unknown }) {
    super(report.message, options);
    this.name = 'RegistrarError';
    this.code = report.code;
    this.hint = report.hint;
    this.details = report.details;
  }

  toReport(): ErrorReport {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      ...(this.details ? { details: this.details } : {}),
    };
  }
}

/**
 * The report of what was thrown. A fault that nobody threw on purpose is INTERNAL.
 *
 * @param hint what to do about such a fault
 * @param words turns the fault's own words into what the report's reader may see
 */
export function reportOf(error: unknown, hint: string, words: (reason: string) => string): ErrorReport {
  if (error instanceof RegistrarError) return error.toReport();
  const reason = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message: `Registrar failed unexpectedly: ${words(reason)}`, hint };
}
