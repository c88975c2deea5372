// npm run clients: what common clients make of what `registrar exec` gives them, each run by the built command.
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnServer, whyNoOwnServer } from '../../test/support/ownServer.ts';
import { makeCertificates, startTlsFront } from '../../test/support/tlsFront.ts';
import { clients, type DatabaseClient } from './clients.ts';

const root = join(import.meta.dirname, '../..');
const cache = join(root, '.clients-cache');
const leastClients = 8;

interface Place {
  name: string;
  url: string;
}

/** Everything that a URL, a shell or a file could take for something else. */
const oddPassword = String.raw`p@s:s/w?o#r%d&'"\ $HOME +;`;

const why = whyNoOwnServer();
if (why !== null) throw new Error(`No server can be started here: ${why}`);
await install();
const work = await mkdtemp(join(tmpdir(), 'registrar-clients-'));
await chmod(work, 0o755);
const server = await OwnServer.start();
try {
  const { places, close } = await open(server);
  try {
    const rows = new Map(clients.map(({ name }) => [name, [] as string[]]));
    for (const place of places) {
      const { run, end } = await workspace(place);
      try {
        for (const client of clients) {
          const result = await run(client);
          console.log(`${place.name.padEnd(12)} ${client.name.padEnd(24)} ${result}`);
          rows.get(client.name)?.push(result);
        }
      } finally {
        await end();
      }
    }
    await writePage(places, rows);
    const working = [...rows.values()].filter((results) => results[0] === 'yes').length;
    console.log(`${working} of ${clients.length} clients reach the project's database by TCP.`);
    if (working < leastClients) process.exitCode = 1;
  } finally {
    await close();
  }
} finally {
  await server.close();
  await rm(work, { recursive: true, force: true });
}

/** What is already in the cache is not fetched again. */
async function install(): Promise<void> {
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, 'package.json'), '{ "private": true }\n');
  const packages = [...new Set(clients.flatMap((client) => client.packages ?? []))];
  const done = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', ...packages],
    {
      cwd: cache,
      stdio: 'inherit',
    },
  );
  if (done.status !== 0) throw new Error(`npm ended with status ${String(done.status)}; its words are above`);
}

async function open(own: OwnServer): Promise<{ places: Place[]; close: () => Promise<void> }> {
  const sockets = join(work, 'sockets');
  await mkdir(sockets);
  // The server has none: it belongs to another user, where root starts it.
  const socketServer = createServer((client) => {
    const upstream = connect(own.port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => socketServer.listen(join(sockets, `.s.PGSQL.${own.port}`), resolve));
  await own.sql(`create role odd superuser login password '${oddPassword.replaceAll("'", "''")}'`);
  const login = `postgresql://odd:${encodeURIComponent(oddPassword)}@`;
  const certificates = await makeCertificates(work);
  const front =
    certificates && (await startTlsFront({ host: '127.0.0.1', port: own.port }, certificates, Buffer.from('')));
  return {
    places: [
      { name: 'TCP', url: `${login}127.0.0.1:${own.port}` },
      { name: 'socket', url: `${login}${encodeURIComponent(sockets)}:${own.port}` },
      ...(certificates !== null && front
        ? [
            {
              name: 'TLS',
              url: `${login}localhost:${front.port}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificates.ca)}`,
            },
          ]
        : []),
      { name: 'two hosts', url: `${login}127.0.0.1:9,127.0.0.1:${own.port}` },
    ],
    close: async () => {
      socketServer.close();
      await front?.close();
    },
  };
}

async function workspace({
  name,
  url,
}: Place): Promise<{ run: (client: DatabaseClient) => Promise<string>; end: () => Promise<void> }> {
  const home = join(work, 'homes', encodeURIComponent(name));
  const directory = join(work, 'workspaces', encodeURIComponent(name));
  await mkdir(home, { recursive: true, mode: 0o700 });
  await mkdir(join(directory, '.codebase-mcp'), { recursive: true });
  const config = { version: '1.0', project: { name } };
  await writeFile(join(directory, '.codebase-mcp', 'config.json'), JSON.stringify(config));
  const env = {
    ...process.env,
    REGISTRAR_HOME: home,
    REGISTRAR_DATABASE_URL: `${url.split('?')[0] ?? ''}/clients${url.includes('?') ? `?${url.split('?')[1] ?? ''}` : ''}`,
  };
  // Not at once: the servers in between are this process's.
  const registrar = (args: string[]) =>
    new Promise<{ stdout: string; stderr: string; status: number | string }>((resolve) => {
      execFile(
        process.execPath,
        [join(root, 'dist/registrar.cjs'), ...args],
        { cwd: cache, env, timeout: 60_000 },
        (error, stdout, stderr) => {
          resolve({ stdout, stderr, status: error?.code ?? 0 });
        },
      );
    });
  const made = await registrar(['resolve', '--directory', directory, '--json']);
  const database = (JSON.parse(made.stdout) as { project: { databaseName: string } | null }).project?.databaseName;
  if (database === undefined) throw new Error(`${name}: ${made.stdout}`);
  return {
    async run(client) {
      const done = await registrar(['exec', '--directory', directory, '--', ...client.command]);
      if (done.stdout.trim() === database) return 'yes';
      const words = `${done.stdout}\n${done.stderr}`.split('\n').map((line) => line.trim());
      const reason =
        words.find((line) => /error|fatal|refused|not found|No module/i.test(line)) ?? `status ${String(done.status)}`;
      return reason.replaceAll(/[|`]/g, ' ').replaceAll(database, 'DATABASE').slice(0, 90);
    },
    async end() {
      await registrar(['stop']);
    },
  };
}

async function writePage(places: Place[], rows: Map<string, string[]>): Promise<void> {
  const short = (result: string): string => (result === 'yes' ? 'yes' : 'no');
  const table = [
    ['client', ...places.map(({ name }) => name)],
    ['---', ...places.map(() => '---')],
    ...[...rows].map(([name, results]) => [name, ...results.map(short)]),
  ];
  const reasons = [...rows].flatMap(([name, results]) =>
    results.flatMap((result, index) =>
      result === 'yes' ? [] : `- ${name}, ${places[index]?.name ?? ''}: \`${result}\``,
    ),
  );
  const page = `# Which clients connect with what \`exec\` gives

\`npm run clients\` writes this page. \`registrar exec\` starts each client, which prints the database that it has reached; "yes"
means the project's own. The password holds every character that URLs and shells treat specially.

${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

What those that did not connect said:

${reasons.join('\n')}

Clients that read no \`sslrootcert\` need the variable NODE_EXTRA_CA_CERTS for a certificate of your own authority. postgres.js reads no
socket from a URL: give it \`{ host: process.env.PGHOST }\`.
`;
  const path = join(root, 'docs/clients.md');
  await writeFile(path, page);
  await new Promise((resolve) => execFile('npx', ['prettier', '--write', path], { cwd: root }, resolve));
}
