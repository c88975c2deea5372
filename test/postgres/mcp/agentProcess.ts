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
