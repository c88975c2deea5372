/** Where a daemon waits at the server: a connection can break before each of them, and its answer can be lost. */
export const statementPoints = [
  'abilities',
  'change',
  'comment',
  'comment-lock',
  'comment-seen',
  'commit',
  'create',
  'database-owner',
  'delete',
  'deliver',
  'drift',
  'drop',
  'ended',
  'events',
  'former-id',
  'hold',
  'id-prefix',
  'ids',
  'insert',
  'list',
  'lock',
  'look',
  'look-database',
  'look-held',
  'marked',
  'merge',
  'obstacle',
  'own-word',
  'read-back',
  'read-forgotten',
  'relations',
  'remove',
  'reserve',
  'schema',
  'unlock',
  'whose-conflict',
] as const;

/** Where a daemon waits on its own machine. Only the outbox's disk can be full: see `WorldOutbox`. */
export const machinePoints = [
  'binding-write',
  'claim-write',
  'config-find',
  'config-read',
  'config-write',
  'folder-exists',
  'git',
  'id-read',
  'id-write',
  'identify',
  'only-config',
  'outbox-remove',
  'outbox-write',
  'pause',
  'presence',
] as const;

export type StatementPoint = (typeof statementPoints)[number];
export type PointName = StatementPoint | (typeof machinePoints)[number];

const isStatementPoint = new Set<PointName>(statementPoints);

export function isStatement(point: PointName): point is StatementPoint {
  return isStatementPoint.has(point);
}
