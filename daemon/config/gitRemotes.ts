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
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'file') return localOrigin(decoded(text.slice('file://'.length).replace(/^localhost(?=\/)/i, '')));
  if (scheme !== undefined) return defaultPorts[scheme] === undefined ? null : remoteOrigin(text, defaultPorts[scheme]);
  if (/^(?:\/|[a-z]:[\\/])/i.test(text)) return localOrigin(text);
  return scpOrigin(text);
}

/** The addresses of all remotes in the text of a git config file, in its order. Includes are not followed. */
export function remoteUrls(config: string): string[] {
  const urls: string[] = [];
  let inRemote = false;
  // A backslash at the end of a line continues it.
  for (const line of config.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const header = /^\s*\[\s*([\w.-]+)(?:\s+"(?:[^"\\]|\\.)*")?\s*\]/.exec(line);
    if (header) inRemote = /^remote(?:\.|$)/i.test(header[1] ?? '');
    const value = inRemote && /^\s*url\s*=(.*)$/i.exec(header ? line.slice(header[0].length) : line)?.[1];
    if (typeof value === 'string') urls.push(plainValue(value));
  }
  return urls;
}

/** Takes quotes, escapes and the comment at the end off a value. */
function plainValue(raw: string): string {
  let value = '';
  let quoted = false;
  for (const [token] of raw.trim().matchAll(/\\.|[^]/gu)) {
    if (token === '"') quoted = !quoted;
    else if (!quoted && (token === '#' || token === ';')) break;
    else value += token.startsWith('\\') ? token.slice(1) : token;
  }
  return value.trim();
}

function remoteOrigin(url: string, defaultPort: string): string | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  const port = parsed.port === '' || parsed.port === defaultPort ? '' : `:${parsed.port}`;
  return join(parsed.hostname.toLowerCase() + port, decoded(parsed.pathname));
}

/** `user@host:path`, as ssh's copy command writes it. A colon behind a slash belongs to a relative path. */
function scpOrigin(text: string): string | null {
  const parts = /^(?:[^@/]+@)?(?:\[([^\]/]+)\]|([^:/[\]@]+)):(?!:)(.+)$/.exec(text);
  const [, bracketed, plain, path] = parts ?? [];
  if (path === undefined) return null;
  if (plain !== undefined) return join(plain.toLowerCase(), path);
  // In brackets: an IPv6 address, which has several colons, or a host with its port.
  const host = (bracketed ?? '').toLowerCase().replace(/^([^:]+):22$/, '$1');
  return join(host.split(':').length > 2 ? `[${host}]` : host, path);
}

function localOrigin(path: string): string | null {
  const posix = tidyPath(path.replaceAll('\\', '/')).replace(/^\/(?=[a-z]:)/i, '');
  return posix === '' ? null : `file:${/^(?:\/|[a-z]:)/i.test(posix) ? posix : `//${posix}`}`;
}

function join(host: string, path: string): string | null {
  const inside = tidyPath(path).replace(/^\/+/, '');
  return host === '' || inside === '' ? null : `${host}/${inside}`;
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
