const defaultPorts: Record<string, string> = {
  ssh: '22',
  'git+ssh': '22',
  'ssh+git': '22',
  git: '9418',
  http: '80',
  https: '443',
  ftp: '21',
  ftps: '990',
};

/**
 * One spelling for every address of a repository: `host/path`, or `file:/path` for one on this machine, which means
 * something here only. Scheme, user, password, default port, query, `.git` and slashes at the end do not count; the host
 * is in lower case; the path keeps its case, since servers differ on it.
 *
 * @returns null for what is no address of its own: an empty or relative one, or one of a remote helper
 */
export function normaliseOrigin(url: string): string | null {
  const text = url.trim();
  const scheme = schemeOf(text);
  if (scheme === 'file') return localOrigin(decoded(text.slice('file://'.length).replace(/^localhost(?=\/)/i, '')));
  if (scheme === undefined && /^(?:\/|[a-z]:[\\/])/i.test(text)) return localOrigin(text);
  const defaultPort = scheme === undefined ? undefined : defaultPorts[scheme];
  if (scheme !== undefined && defaultPort === undefined) return null;
  const address = defaultPort === undefined ? scpAddress(text) : urlAddress(text, defaultPort);
  return address && spelled(address);
}

/** The host that ssh connects to for a host name, as far as the user's configuration says so. */
export interface SshDestination {
  hostName: string | null;
  port: string | null;
}

/** The host name in an address that is fetched with ssh, as it is written; null for any other. */
export function sshHost(url: string): string | null {
  return sshAddress(url)?.host ?? null;
}

/** As `normaliseOrigin`, of an address that is fetched with ssh, at the host and port that ssh goes to for it. */
export function normaliseSshOrigin(url: string, { hostName, port }: SshDestination): string | null {
  const address = sshAddress(url);
  if (!address) return null;
  return spelled({
    host: (hostName ?? address.host).toLowerCase(),
    port: address.port === '' ? (port ?? '') : address.port,
    defaultPort: '22',
    path: address.path,
  });
}

/**
 * The path in an address that git takes for one on this machine: with the scheme `file`, or without a scheme and without
 * a colon before its first slash. `C:` is a drive only where paths have drives.
 *
 * @returns as it stands there, maybe relative; null for the address of another machine
 */
export function localPath(url: string): string | null {
  const absolute = /^file:\/\/(\/.*)$/i.exec(url)?.[1];
  if (absolute !== undefined) return decoded(absolute);
  const isDrive = process.platform === 'win32' && /^[a-z]:/i.test(url);
  return url !== '' && (isDrive || !/^[^/]*:/.test(url)) ? url : null;
}

interface Address {
  host: string;
  /** Empty when the address names none. */
  port: string;
  defaultPort: string;
  path: string;
}

function sshAddress(url: string): Address | null {
  const text = url.trim();
  const scheme = schemeOf(text);
  if (scheme === undefined) return localPath(text) === null ? scpAddress(text) : null;
  return defaultPorts[scheme] === '22' ? urlAddress(text, '22') : null;
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
}

function urlAddress(url: string, defaultPort: string): Address | null {
  try {
    const { hostname, port, pathname } = new URL(url);
    return { host: hostname, port, defaultPort, path: decoded(pathname) };
  } catch {
    return null;
  }
}

/** `user@host:path`, as ssh's copy command writes it. A colon behind a slash belongs to a relative path. */
function scpAddress(text: string): Address | null {
  const parts = /^(?:[^@/]+@)?(?:\[([^\]/]+)\]|([^:/[\]@]+)):(?!:)(.+)$/.exec(text);
  const [, bracketed, plain, path] = parts ?? [];
  if (path === undefined) return null;
  if (plain !== undefined) return { host: plain, port: '', defaultPort: '22', path };
  // In brackets: an IPv6 address, which has several colons, or a host with its port.
  const inside = bracketed ?? '';
  if (inside.split(':').length > 2) return { host: `[${inside}]`, port: '', defaultPort: '22', path };
  const [host = '', port = ''] = inside.split(':');
  return { host, port, defaultPort: '22', path };
}

function localOrigin(path: string): string | null {
  const posix = tidyPath(path.replaceAll('\\', '/')).replace(/^\/(?=[a-z]:)/i, '');
  return posix === '' ? null : `file:${/^(?:\/|[a-z]:)/i.test(posix) ? posix : `//${posix}`}`;
}

function spelled({ host, port, defaultPort, path }: Address): string | null {
  const inside = tidyPath(path).replace(/^\/+/, '');
  if (host === '' || inside === '') return null;
  return `${host.toLowerCase()}${port === '' || port === defaultPort ? '' : `:${port}`}/${inside}`;
}

function tidyPath(path: string): string {
  return path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .replace(/\/?\.git$/, '')
    .replace(/\/$/, '');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
