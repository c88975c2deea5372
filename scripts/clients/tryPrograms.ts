import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OwnServer } from '../../test/support/ownServer.ts';
import { migratedTable, type MigrationTool } from './migrationTools.ts';
import { reason, type Outcome, type Row } from './outcome.ts';
import type { Installed, Needs } from './packages.ts';
import type { Place } from './places.ts';
import { withRemedy, type PlaceName, type Program } from './programs.ts';
import { openRegistrar, type Ran, type Registrar, type Workspace } from './registrar.ts';
import { severalAtOnce } from './severalAtOnce.ts';

interface Trial {
  server: OwnServer;
  places: readonly Place[];
  installed: ReadonlyMap<Needs, Installed>;
  work: string;
  clients: readonly Program[];
  tools: readonly MigrationTool[];
}

/** Says why a program that ended well did not reach the project's database; null when it did. */
type Check = (ran: Ran) => Promise<string | null> | string | null;

/** Runs every client and every migration tool in every place, through the built command. */
export async function tryPrograms(trial: Trial): Promise<{ clientRows: Row[]; toolRows: Row[] }> {
  const { server, places, installed, work, clients, tools } = trial;
  const outcomes = new Map<Program, Map<PlaceName, Outcome>>();
  for (const tool of tools) await writeFiles(tool, folderOf(tool, installed));
  for (const { name, login, parameters } of places) {
    const folder = join(work, 'places', name.replaceAll(' ', '-'));
    const registrar = await openRegistrar(folder, `${login}/${encodeURIComponent(name)}${parameters}`);
    try {
      const shared = await registrar.newWorkspace('clients');
      await severalAtOnce([...clients, ...tools], async (program) => {
        // A tool's migration is a project's first: some refuse a database that has tables already.
        const isTool = 'files' in program;
        const workspace = isTool ? await registrar.newWorkspace(migratedTable(program.name)) : shared;
        const check: Check = isTool
          ? () => migrated(program.name, workspace.database, server)
          : (ran) => printed(ran, workspace.database);
        const outcome = await tryProgram({ program, registrar, workspace, installed, check });
        const results = outcomes.get(program) ?? new Map<PlaceName, Outcome>();
        outcomes.set(program, results.set(name, outcome));
        console.log(`${name.padEnd(12)} ${program.name.padEnd(32)} ${inWords(outcome)}`);
      });
    } finally {
      await registrar.close();
    }
  }
  const row = (program: Program): Row => ({
    program,
    version: installed.get(program)?.version ?? '',
    outcomes: outcomes.get(program) ?? new Map<PlaceName, Outcome>(),
  });
  return { clientRows: clients.map(row), toolRows: tools.map(row) };
}

interface Attempt {
  program: Program;
  registrar: Registrar;
  workspace: Workspace;
  installed: ReadonlyMap<Needs, Installed>;
  check: Check;
}

async function tryProgram({ program, registrar, workspace, installed, check }: Attempt): Promise<Outcome> {
  const failure = installed.get(program)?.failure ?? null;
  if (failure !== null) return { kind: 'missing', log: failure };
  let log = '';
  for (const remedy of [null, ...(program.remedies ?? [])]) {
    const command = withRemedy(program.command, remedy);
    const args = ['exec', '--directory', workspace.directory, '--', ...command];
    const ran = await registrar.run(args, folderOf(program, installed));
    const objection = ran.status === 0 ? await check(ran) : `status ${ran.status}`;
    if (objection === null) return { kind: 'landed', remedy };
    // What it says without help is what people see.
    log ||= `${ran.stdout}\n${ran.stderr}\n${objection}`.replaceAll(workspace.database, 'DATABASE');
  }
  const isMissing = /No module named|: not found|was not found/.test(log) && program.packages.length === 0;
  return { kind: isMissing ? 'missing' : 'failed', log };
}

function printed({ stdout }: Ran, database: string): string | null {
  return stdout.trim() === database ? null : 'it printed another database';
}

/** Looks into every database of the server: the tool's table has to be in the project's, and in none that is no project's. */
async function migrated(tool: string, database: string, server: OwnServer): Promise<string | null> {
  const table = migratedTable(tool);
  for (const { datname } of await server.sql('select datname from pg_database where datallowconn')) {
    const name = String(datname);
    const [found] = await server.sql(`select to_regclass('public.${table}') is not null as yes`, name);
    if (found?.['yes'] === true) {
      const [row] = await server.sql(`select place from ${table}`, name);
      if (row?.['place'] !== name) return `it ran in ${String(row?.['place'])}`;
      // In every place this tool has a project, whose database is named after it.
      if (!name.startsWith(database.replace(/[^_]*$/, ''))) return `its table is in ${name}`;
    } else if (name === database) return 'its table is not there';
  }
  return null;
}

function folderOf(program: Program, installed: ReadonlyMap<Needs, Installed>): string {
  const { folder } = installed.get(program) ?? { folder: '.' };
  return 'files' in program ? join(folder, migratedTable(program.name)) : folder;
}

async function writeFiles({ files }: MigrationTool, folder: string): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function inWords(outcome: Outcome): string {
  if (outcome.kind === 'landed') return outcome.remedy === null ? 'yes' : `yes, with ${outcome.remedy.assignment}`;
  return `${outcome.kind}: ${reason(outcome.log)}`;
}
