import type { ErrorCode } from '../protocol/codes.ts';
import type { Resolution } from '../protocol/model.ts';

/** 0 done, 1 refused or unresolved, 2 wrong usage, 3 daemon or PostgreSQL unreachable, busy or full. */
export type ExitStatus = 0 | 1 | 2 | 3;

export function statusOfError(code: ErrorCode): ExitStatus {
  if (code === 'INVALID_ARGUMENT') return 2;
  return unreachable.has(code) ? 3 : 1;
}

/** A dry run that says what it would do is a success, even if there is no project yet. */
export function statusOfResolution({ outcome, error, wouldDo }: Resolution): ExitStatus {
  if (error) return statusOfError(error.code);
  return outcome === 'resolved' || wouldDo !== null ? 0 : 1;
}

const unreachable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DAEMON_UNREACHABLE',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_BUSY',
  'SERVER_FULL',
  'DISK_FULL',
  'CREDENTIALS_REQUIRED',
  'POSTGRES_NOT_CHOSEN',
]);
