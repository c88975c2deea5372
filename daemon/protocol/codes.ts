/** The closed set of error codes. Programs match on these; people read the message and the hint beside them. */
export const errorCodes = [
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'CONFIG_NOT_TRUSTED',
  'CONFIG_CHANGED',
  'NAME_INVALID',
  'DATABASE_NAME_INVALID',
  'PROJECT_NOT_FOUND',
  'PROJECT_AMBIGUOUS',
  'PROJECT_MISMATCH',
  'PROJECT_CONFLICT',
  'PROJECT_FORGOTTEN',
  'DIRECTORY_INVALID',
  'UNRESOLVED',
  'DATABASE_MISSING',
  'DATABASE_FOREIGN',
  'PROVISION_FAILED',
  'POSTGRES_NOT_CHOSEN',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_FORBIDDEN',
  'REGISTRY_SCHEMA',
  'CREDENTIALS_REQUIRED',
  'ADDRESS_MISMATCH',
  'SQL_REJECTED',
  'SQL_FAILED',
  'SQL_TIMEOUT',
  'PLAN_STALE',
  'CONFIRMATION_REQUIRED',
  'DAEMON_UNREACHABLE',
  'DAEMON_VERSION',
  'UNAUTHORIZED',
  'INVALID_ARGUMENT',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The closed set of warning codes: the answer stands, and someone should know this about it. */
export const warningCodes = [
  'FIRST_CLAIM',
  'CLAIMED_ELSEWHERE',
  'PENDING',
  'PARKED',
  'STALE',
  'ID_NOT_WRITTEN',
  'REKEYED',
  'RENAMED',
  'NAME_DIFFERS',
  'DATABASE_RECREATED',
  'MARKER_RESTORED',
  'FOLDER_MOVED',
  'WORKFLOW_UNKNOWN_PROJECT',
] as const;

export type WarningCode = (typeof warningCodes)[number];
