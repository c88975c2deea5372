import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Endpoint } from '../../../daemon/protocol/control.ts';
import type { DaemonFixture } from '../daemon/daemonFixture.ts';

export type HttpAddress = Pick<Endpoint, 'token'> & { url: string };

/** The SDK's client over HTTP. */
export async function overHttp({ url, token }: HttpAddress, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'http tester', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}`, ...headers } },
  });
  await client.connect(transport);
  return client;
}

/** The SDK's client over the standard streams of `registrar mcp`. */
export async function overStdio(
  fixture: DaemonFixture,
  home: string,
  args: string[],
  environment: Record<string, string> = {},
  cwd = home,
): Promise<Client> {
  const { PATH = '' } = process.env;
  const client = new Client({ name: 'stdio tester', version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fixture.script(), 'mcp', ...args],
    env: { PATH, HOME: home, REGISTRAR_HOME: home, ...environment },
    cwd,
    stderr: 'ignore',
  });
  await client.connect(transport);
  // Its process is remembered, to be ended.
  await fixture.endpoint(home);
  return client;
}

export interface Called {
  isError: boolean;
  text: string;
  structured: Record<string, unknown>;
  project: string | undefined;
}

export async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Called> {
  const result = await client.callTool({ name, arguments: args }, undefined, { timeout: 60_000 });
  const structured = (result.structuredContent ?? {}) as Record<string, unknown>;
  const resolution = (structured['resolution'] ?? structured) as { project?: { name?: string } | null };
  const [content] = result.content as { text: string }[];
  return { isError: result.isError === true, text: content?.text ?? '', structured, project: resolution.project?.name };
}

/** Runs a package's command on this Node. */
export async function runTool(
  packageName: string,
  script: string,
  args: string[],
  home: string,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const folder = join(dirname(import.meta.dirname), '../../node_modules', packageName);
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [join(folder, script), ...args], {
    env: { PATH, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

/** MCP's inspector as a command: each question is a process of its own, which begins, asks and ends. */
export class Inspector {
  readonly #home: string;
  readonly #target: readonly string[];

  /** @param target the arguments that say which server, and how */
  constructor(home: string, target: readonly string[]) {
    this.#home = home;
    this.#target = target;
  }

  static overHttp(home: string, { url, token }: HttpAddress, headers: Record<string, string> = {}): Inspector {
    const all = { Authorization: `Bearer ${token}`, ...headers };
    const given = Object.entries(all).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
    return new Inspector(home, [url, '--transport', 'http', ...given]);
  }

  /** @param entries the file that an agent has, and whose servers it starts */
  static overStdio(home: string, entries: string, server: string): Inspector {
    return new Inspector(home, ['--config', entries, '--server', server, '--connect-timeout', '60000']);
  }

  async ask(...args: string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await runTool(
      '@modelcontextprotocol/inspector',
      'clients/launcher/build/index.js',
      ['--cli', ...this.#target, ...args, '--format', 'json'],
      this.#home,
    );
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return (JSON.parse(stdout) as { result: Record<string, unknown> }).result;
  }

  /** The names of the tools, whose schemas have to be portable. */
  async tools(): Promise<string[]> {
    const { tools } = (await this.ask('--method', 'tools/list', '--strict')) as { tools: { name: string }[] };
    return tools.map(({ name }) => name);
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const given = ['--tool-name', name, '--tool-args-json', JSON.stringify(args)];
    return (await this.ask('--method', 'tools/call', ...given))['structuredContent'] as Record<string, unknown>;
  }
}

/** Adds the token for tools that cannot; everything else goes through as it is, its own name replaced by the endpoint's. */
export async function authorizing({ url, token }: HttpAddress): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(url);
  const server = createServer((incoming, outgoing) => {
    const { port } = server.address() as AddressInfo;
    const renamed = (text: string | undefined): string | undefined => text?.replace(`:${port}`, `:${target.port}`);
    const { host, origin, ...headers } = incoming.headers;
    const forwarded = request(
      {
        host: '127.0.0.1',
        port: target.port,
        path: incoming.url,
        method: incoming.method,
        headers: {
          ...headers,
          host: renamed(host),
          ...(origin === undefined ? {} : { origin: renamed(origin) }),
          authorization: `Bearer ${token}`,
        },
      },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
