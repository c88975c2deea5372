import { quoted } from '../protocol/visibleText.ts';
import { parseId } from '../registry/ids.ts';
import type { WorkflowPort } from '../resolution/ports.ts';
import { withLimit } from '../time/withLimit.ts';

export interface WorkflowClientOptions {
  /** The server's base address, with or without a path. */
  url: string;
  fetch?: typeof globalThis.fetch;
  /** The present, ms; only differences count. */
  now: () => number;
  /** For one request, its body included; 1 s when absent. */
  timeoutMs?: number | undefined;
  /** How long an answer holds, `none` included. */
  successTtlMs?: number;
  /** How long a failure holds. */
  failureTtlMs?: number;
}

/** Far above any honest answer; a server that sends more is cut off. */
const maxBodyBytes = 64 * 1024;

/**
 * Makes a client of the workflow server: `GET {url}/api/v1/projects/active` → `{"project_id": …}`. However many callers
 * there are, there is one request at a time, and none while an earlier answer is valid.
 */
export function createWorkflowClient(options: WorkflowClientOptions): WorkflowPort {
  const { now, timeoutMs = 1000, successTtlMs = 60_000, failureTtlMs = 10_000 } = options;
  const target = requestUrl(options.url);
  let held: { answer: Answer; until: number } | null = null;
  let asking: Promise<Answer> | null = null;

  async function ask(): Promise<Answer> {
    const answer =
      typeof target === 'string' ? failed(target) : await request(target, timeoutMs, options.fetch ?? globalThis.fetch);
    held = { answer, until: now() + (answer.kind === 'failed' ? failureTtlMs : successTtlMs) };
    asking = null;
    return answer;
  }

  return {
    async activeProject() {
      if (held && now() < held.until) return { ...held.answer, cached: true };
      const joins = asking !== null;
      asking ??= ask();
      return { ...(await asking), cached: joins };
    },
  };
}

type Answer = { kind: 'project'; id: string } | { kind: 'none'; reason: string } | { kind: 'failed'; reason: string };

function failed(reason: string): Answer {
  return { kind: 'failed', reason };
}

/** The address to request, its path without doubled slashes, or the reason why there is none. */
function requestUrl(text: string): URL | string {
  if (!URL.canParse(text)) return 'the workflow URL is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the workflow URL is neither http nor https';
  // fetch refuses these, and quotes the URL with its password when it does.
  if (url.username !== '' || url.password !== '') return 'the workflow URL holds a user or password';
  if (url.search !== '' || url.hash !== '') return 'the workflow URL holds a query or fragment';
  const prefix = url.pathname.split('/').filter((part) => part !== '');
  url.pathname = `/${[...prefix, 'api', 'v1', 'projects', 'active'].join('/')}`;
  return url;
}

async function request(url: URL, timeoutMs: number, fetch: typeof globalThis.fetch): Promise<Answer> {
  const abort = new AbortController();
  const exchange = async (): Promise<Answer> => {
    // A redirect could lead the daemon anywhere; the server is the one that was configured.
    const response = await fetch(url, {
      signal: abort.signal,
      redirect: 'manual',
      headers: { accept: 'application/json' },
    });
    if (response.status >= 300 && response.status < 400)
      return failed(`HTTP ${response.status}, redirects are not followed`);
    if (response.status !== 200) return failed(`HTTP ${response.status}`);
    const body = await readBody(response);
    return body === null ? failed(`the answer is larger than ${maxBodyBytes / 1024} KB`) : interpret(body);
  };
  try {
    const answer = exchange().catch((error: unknown) => failed(describe(error)));
    return await withLimit(timeoutMs, answer, () => failed(`no answer within ${timeoutMs} ms`));
  } finally {
    // Also after an answer: it closes the connection of a body that was not read to its end.
    abort.abort();
  }
}

async function readBody(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function interpret(body: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return failed('the answer is not JSON');
  }
  if (typeof value !== 'object' || value === null || !('project_id' in value)) {
    return failed('the answer has no project_id');
  }
  const { project_id: text } = value;
  if (text === null) return { kind: 'none', reason: 'no project is active' };
  const id = typeof text === 'string' ? parseId(text) : null;
  return id === null ? failed('the project_id in the answer is not a UUID') : { kind: 'project', id };
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code } = cause as { code?: unknown };
  if (code === 'ECONNREFUSED') return 'refused';
  if (typeof code === 'string') return `the request failed (${code})`;
  return `the request failed (${cause instanceof Error ? quoted(cause.message) : 'unknown error'})`;
}
