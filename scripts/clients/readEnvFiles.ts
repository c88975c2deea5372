import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { misreadKey } from '../../daemon/cli/environment/asProgramsRead.ts';
import type { OwnServer } from '../../test/support/ownServer.ts';
import { oddValues } from '../../test/support/oddValues.ts';
import { readKeys, type EnvFileReader, type Read } from './envFileReaders.ts';
import { environment, type Installed, type Needs } from './packages.ts';
import { openRegistrar, type Ran, type Registrar, type Workspace } from './registrar.ts';
import { severalAtOnce } from './severalAtOnce.ts';

/** How one reader took a password: as meant, not at all because it was left out and said so, or otherwise. */
type Cell = 'yes' | 'left out' | 'no';

export interface ReadFiles {
  readers: { reader: EnvFileReader; version: string }[];
  /** By what is odd in the password, one cell for each reader. */
  rows: Map<string, Cell[]>;
  complaints: string[];
}

interface WrittenFile {
  odd: string;
  file: string;
  expected: Read;
  isLeftOut: boolean;
}

interface Reading {
  server: OwnServer;
  installed: ReadonlyMap<Needs, Installed>;
  work: string;
  readers: readonly EnvFileReader[];
}

/** Has the built command write files with every odd password there is, and every reader read them. */
export async function readEnvFiles({ server, installed, work, readers }: Reading): Promise<ReadFiles> {
  const complaints: string[] = [];
  const files = readers.length > 0 ? await writeAll(server, work, complaints) : [];
  const rows = new Map<string, Cell[]>(files.map(({ odd }) => [odd, []]));
  const here: ReadFiles['readers'] = [];
  for (const reader of readers) {
    const { folder = work, version = '', failure = null } = installed.get(reader) ?? {};
    const all =
      failure ??
      (await read(
        reader,
        folder,
        files.map(({ file }) => file),
      ));
    if (typeof all === 'string') {
      // Debian's packages are not everywhere.
      if (reader.packages.length > 0 || reader.debian.length === 0) complaints.push(`${reader.name}: ${all}`);
      else console.log(`${reader.name} was not run: ${all}`);
      continue;
    }
    here.push({ reader, version: version || process.versions.node });
    const wrong = files.filter(({ expected }, index) =>
      readKeys.some((key) => (all[index]?.[key] ?? '') !== (expected[key] ?? '')),
    );
    for (const { odd, file } of wrong) {
      const got = JSON.stringify(all[files.findIndex((one) => one.file === file)]);
      complaints.push(`${reader.name} misreads a password with ${odd} (${basename(dirname(file))}): ${got}`);
    }
    for (const [odd, cells] of rows) {
      const isLeftOut = files.some((one) => one.odd === odd && one.isLeftOut);
      cells.push(wrong.some((one) => one.odd === odd) ? 'no' : isLeftOut ? 'left out' : 'yes');
    }
    console.log(`${reader.name.padEnd(16)} ${files.length - wrong.length} of ${files.length} files read as meant`);
    if (reader.name === 'dotenv') complaints.push(...(await compareRule(reader, folder, work)));
  }
  return { readers: here, rows, complaints };
}

/** For each password a project whose server has it. */
async function writeAll(server: OwnServer, work: string, complaints: string[]): Promise<WrittenFile[]> {
  // Nobody logs in with an empty one.
  const passwords = Object.entries(oddValues).filter(([, value]) => value !== '');
  const files = await severalAtOnce(passwords, async ([odd, password], index) => {
    const user = `reader${index}`;
    await server.sql(`create role ${user} superuser login password ${literal(password)}`);
    const login = `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.port}/${user}`;
    const registrar = await openRegistrar(join(work, user), login);
    try {
      return await writeFiles(registrar, await registrar.newWorkspace('reads'), odd, password, complaints);
    } finally {
      await registrar.close();
    }
  });
  return files.flat();
}

/** `--dotenv`, and `--write` into a file that quotes in each of the three ways. */
async function writeFiles(
  registrar: Registrar,
  { directory }: Workspace,
  odd: string,
  password: string,
  complaints: string[],
): Promise<WrittenFile[]> {
  const run = (args: readonly string[]): Promise<Ran> => registrar.run(args, directory);
  const truth = JSON.parse((await run(['env', '--json'])).stdout) as Required<Read>;
  if (truth.PGPASSWORD !== password) complaints.push(`env --json gives another password with ${odd}`);
  const files = ['printed', 'changed'].map((name) => join(directory, name, '.env')) as [string, string];
  for (const file of files) await mkdir(dirname(file));
  await writeFile(files[1], `# mine\nPGPASSWORD=old # old\nSINGLE='old'\nDOUBLE="old"\nDATABASE_URL=\n`);
  const maps = ['--map', 'SINGLE=PGPASSWORD', '--map', 'DOUBLE=PGPASSWORD'];
  const printed = await run(['env', '--dotenv']);
  await writeFile(files[0], printed.stdout);
  const changed = await run(['env', '--write', files[1], ...maps]);
  return [printed, changed].map(({ status, stderr }, index) => {
    if (status !== 0) complaints.push(`registrar env with ${odd}: ${stderr}`);
    const isLeftOut = stderr.includes('warning: PGPASSWORD was left out');
    const expected = isLeftOut ? '' : password;
    const others = index === 0 ? {} : { SINGLE: expected, DOUBLE: expected };
    return { odd, file: files[index] ?? '', expected: { ...truth, PGPASSWORD: expected, ...others }, isLeftOut };
  });
}

function read(reader: EnvFileReader, cwd: string, files: readonly string[]): Promise<Read[] | string> {
  const [program = '', ...args] = reader.command;
  const env = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !(readKeys as readonly string[]).includes(name)),
  );
  return new Promise((resolve) => {
    execFile(
      program,
      [...args, ...files],
      { cwd, env: { ...env, LANG: 'C.UTF-8' }, maxBuffer: 1e8 },
      (error, stdout, stderr) => {
        resolve(error ? stderr || error.message : (JSON.parse(stdout) as Read[]));
      },
    );
  });
}

/**
 * Files of people's own that `env --write` may meet. None has an escape: the rule leaves those as they are, because it only
 * compares.
 */
const oddFiles = [
  'A=1\nB=2\n',
  "A='1\nB=2\n",
  'A="1\nB=2\n',
  'A=`1\nB=2\n',
  'A=1\rB=2\n',
  'A=1\u2028B=2\n',
  'A: 1\nB=2\n',
  "A='1' # it's\nB=2\n",
  'A="1" # "\nB=2\n',
  "A=it's\nB=2\nC='3'\n",
  'export A=1\nB = 2\n',
  "A='1\nB=2'\nC=3\n",
  'A=1 #x\nB=2#y\n',
  '\ufeffA=1\nB=2\n',
];

/** What `env --write` takes for dotenv's and Node's way of reading is theirs: it says so of a file when they disagree. */
async function compareRule(dotenv: EnvFileReader, cwd: string, work: string): Promise<string[]> {
  const complaints: string[] = [];
  for (const [index, text] of oddFiles.entries()) {
    const folder = join(work, `rule-${index}`);
    await mkdir(folder);
    await writeFile(join(folder, '.env'), text);
    const all = await read(dotenv, cwd, [join(folder, '.env')]);
    const real = new Map(Object.entries((typeof all === 'string' ? {} : all[0]) ?? {}));
    const content = await readFile(join(folder, '.env'), 'utf8');
    const node = new Map(Object.entries(parseEnv(content)));
    const differs = [...new Set([...real.keys(), ...node.keys()])].some((key) => real.get(key) !== node.get(key));
    if ((misreadKey('', content, real) !== null) !== differs)
      complaints.push(`dotenv reads ${JSON.stringify(text)} otherwise than env --write takes it to`);
  }
  return complaints;
}

function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
