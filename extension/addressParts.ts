/** Where a PostgreSQL server is, as people enter it in parts. */
export interface AddressParts {
  /** A name, an IP address, or the folder of a unix socket. */
  host: string;
  port: string;
  user: string;
  /** The registry's database; empty for the usual one. */
  database: string;
}

/** A complete address, the beginning of one, or what is wrong with it. */
export type Where =
  | { kind: 'address'; url: string }
  | { kind: 'host'; host: string; port: string }
  | { kind: 'problem'; problem: string };

/** Reads the first answer: a complete address, or a host, after which the rest is asked. */
export function readWhere(text: string): Where {
  const given = text.trim();
  if (given === '') return problem('Type an address or the name of a host.');
  if (/^postgres(ql)?:\/\//.test(given) || /^\w+\s*=/.test(given)) return { kind: 'address', url: given };
  if (given.includes('://')) return problem('An address begins with postgresql://');
  if (given.startsWith('/')) return { kind: 'host', host: given, port: '' };
  const match = /^(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<name>[^:@/?#\s[\]]+))(?::(?<port>\d{1,5}))?$/i.exec(given)?.groups;
  if (match) return { kind: 'host', host: match['ipv6'] ?? match['name'] ?? '', port: match['port'] ?? '' };
  if (/^[0-9a-f]*:[0-9a-f:.]+$/i.test(given)) return { kind: 'host', host: given, port: '' };
  return problem('Type postgresql://USER@HOST:5432, or a host such as db.example or db.example:5433.');
}

/** What is wrong with a port; null when nothing is. Empty means the usual one. */
export function portProblem(text: string): string | null {
  const port = Number(text);
  return text === '' || (/^\d+$/.test(text) && port >= 1 && port <= 65_535)
    ? null
    : 'A port is a number from 1 to 65535.';
}

/** The address that the parts make. */
export function urlOf({ host, port, user, database }: AddressParts): string {
  const place = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  const login = user === '' ? '' : `${encodeURIComponent(user)}@`;
  const path = database === '' ? '' : `/${encodeURIComponent(database)}`;
  return `postgresql://${login}${place}:${port === '' ? '5432' : port}${path}`;
}

function problem(text: string): Where {
  return { kind: 'problem', problem: text };
}
