import type { ErrorCode, WarningCode } from './codes.ts';

/** A part of a text; both in UTF-16 units. */
export interface TextPlace {
  offset: number;
  length: number;
}

/** A part of a text, and what to put there. */
export interface TextChange extends TextPlace {
  text: string;
}

/**
 * What helps against a problem: a change of the text, the adoption of a database, or binding the folder to a project, for
 * which no text is enough.
 */
export type ConfigFix = { title: string; isPreferred: boolean } & (
  { kind: 'change'; change: TextChange } | { kind: 'adopt'; database: string } | { kind: 'share'; project: string }
);

/** Something wrong with a config file, its position, and what helps. */
export interface ConfigProblem extends TextPlace {
  code: ErrorCode | WarningCode;
  severity: 'error' | 'warning' | 'information';
  message: string;
  hint: string;
  /** True if an editor that knows the JSON schema reports it too. */
  isInSchema: boolean;
  fixes: ConfigFix[];
}
