/** The ways to a server that are tried, each a column of the page. */
export const placeNames = ['TCP', 'odd password', 'socket', 'TLS', 'self-signed', 'two hosts', 'IPv6'] as const;
export type PlaceName = (typeof placeNames)[number];

/** A program as people use it: it knows nothing of Registrar, only what `exec` puts into its environment. */
export interface Program {
  name: string;
  /** From npm, the one that gives it its version first; `name@version` where the newest will not do. */
  packages: readonly string[];
  /** From Debian, likewise. */
  debian: readonly string[];
  /** What its user writes. */
  line: string;
  command: readonly string[];
  /** What to add where the command alone does not connect; the first that helps counts. */
  remedies?: readonly Remedy[];
  /** Where nothing helps, and why. Whatever else does not connect fails the run. */
  gaps?: Partial<Record<PlaceName, string>>;
}

/** A variable that is set before the program starts, in the words of a shell. */
export interface Remedy {
  assignment: string;
  why: string;
}

export const trustedAuthority: Remedy = {
  assignment: 'NODE_EXTRA_CA_CERTS="$PGSSLROOTCERT"',
  why: 'reads no `sslrootcert`; Node.js does',
};
export const libpqMeaning: Remedy = {
  assignment: 'DATABASE_URL="$DATABASE_URL&uselibpqcompat=true"',
  why: 'treats `sslmode=require` as `verify-full`, unless told to follow libpq',
};
export const postgresJsTls: Remedy = {
  assignment: 'PGSSL="$PGSSLMODE" NODE_EXTRA_CA_CERTS="$PGSSLROOTCERT"',
  why: 'uses no TLS, because it reads `PGSSL` instead of `PGSSLMODE`, and reads no `sslrootcert`',
};
export const slonikUnverified: Remedy = {
  assignment: 'DATABASE_URL="$(printf %s "$DATABASE_URL" | sed s/=require/=no-verify/)"',
  why: 'checks the certificate with `sslmode=require`, which libpq does not',
};
export const withoutTls: Remedy = {
  assignment: 'PGSSLMODE=disable',
  why: 'insists on TLS unless told otherwise',
};

/** Reasons that several have in common. */
export const keepsBrackets =
  'treats the brackets around an IPv6 address as part of it: give Registrar the server’s name instead';
export const checksCertificates =
  'checks the certificate whatever `sslmode` says: give Registrar an address with `sslrootcert`, as in TLS';

export function withRemedy(command: readonly string[], remedy: Remedy | null): readonly string[] {
  return remedy === null ? command : ['sh', '-c', `export ${remedy.assignment}; exec "$@"`, 'sh', ...command];
}
