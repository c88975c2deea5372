import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { commentLock } from '../../daemon/postgres/databases/commentSql.ts';
import { databases } from '../../daemon/postgres/databases/databases.ts';
import { deliver } from '../../daemon/postgres/registry/deliver.ts';
import { readRegistry } from '../../daemon/postgres/registry/driftReading.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { projectsTable } from '../../daemon/postgres/registry/projectsTable.ts';
import { RegistryDatabase } from '../../daemon/postgres/registry/registryDatabase.ts';
import { RegistryEvents } from '../../daemon/postgres/registry/registryEvents.ts';
import { lockSecret, lockText, takeLockSql } from '../../daemon/postgres/registry/registryLock.ts';
import type { RegistryRow } from '../../daemon/registry/model.ts';
import { startKillPoint, type KillPoint } from '../support/killPoint.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { testServer } from '../support/testServer.ts';
import type { Ground, Member, MemberOptions, OpenTransaction } from './ground.ts';

/** The contract's ground on a real server: a registry of its own, and proxies that break connections between statements. */
export async function postgresGround(): Promise<Ground> {
  const { url } = await testServer();
  const tag = randomBytes(5).toString('hex');
  const registry = `registrar_contract_${tag}`;
  const prefix = `cb_proj_contract_${tag}`;
  const clients = new Set<pg.Client>();
  const roles: string[] = [];
  const open: (() => Promise<void>)[] = [];
  let rows = 0;

  function addressUrl(database: string, role?: string): URL {
    const address = new URL(url);
    address.pathname = `/${database}`;
    if (role === undefined) return address;
    address.username = role;
    address.password = 'contract';
    return address;
  }

  async function connectTo(database: string, role?: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: addressUrl(database, role).href });
    client.on('error', () => clients.delete(client));
    await client.connect();
    clients.add(client);
    return client;
  }

  async function leave(): Promise<void> {
    for (const end of open.splice(0)) await end();
  }

  async function disconnect(client: pg.Client): Promise<void> {
    clients.delete(client);
    await client.end().catch(() => undefined);
  }

  const admin = await connectTo('postgres');

  async function newRole(attributes: string): Promise<string> {
    const role = `registrar_contract_${tag}_${String(roles.length)}`;
    await admin.query(`create role ${role} login password 'contract' ${attributes}`);
    roles.push(role);
    return role;
  }

  const owner = await newRole('createdb');
  await admin.query(`create database ${registry} owner ${owner}`);

  async function roleFor({ lacks, memberOf }: MemberOptions): Promise<string> {
    if (!lacks && memberOf === undefined) return owner;
    const role = await newRole(lacks?.includes('createdb') === true ? '' : 'createdb');
    if (memberOf !== undefined) await admin.query(`grant ${memberOf} to ${role}`);
    const table = await connectTo(registry);
    const granted = ['select', 'insert', 'update', 'delete'].filter((one) => !lacks?.some((lack) => lack === one));
    await table.query(`grant ${granted.join(', ')} on projects to ${role}`);
    await table.query(`grant select, insert on registrar_events to ${role}`);
    await disconnect(table);
    return role;
  }

  async function member(options: MemberOptions = {}): Promise<Member> {
    const role = await roleFor(options);
    const server = new URL(url);
    const proxy = await startKillPoint({ host: server.hostname || 'localhost', port: Number(server.port || '5432') });
    const address = addressUrl(registry, role);
    address.host = `127.0.0.1:${String(proxy.port)}`;
    address.searchParams.set('sslmode', 'disable');
    const database = new RegistryDatabase(
      parseAddress(address.href, {}, localSurroundings()),
      patientLimits,
      options.ownerRole ?? null,
    );
    open.push(async () => {
      await database.close();
      await proxy.close();
    });
    const events = new RegistryEvents(database, { host: 'here', creator: 'ann@here', onMissing: () => undefined });
    const table = projectsTable(database, events);
    // The tables are made, and what they allow is known.
    await table.look({ id: null, name: 'nobody' }, true);
    await events.look({ id: null, name: 'nobody' });
    proxy.set(null);
    return {
      role,
      registry: table,
      catalog: databases(database, { projectSchema: () => Promise.resolve(options.projectSchema ?? null) }),
      deliver: (entries) => deliver(database, events, entries),
      readRegistry: () => readRegistry(database),
      ...faultsOf(proxy),
    };
  }

  async function begin(): Promise<OpenTransaction> {
    const client = await connectTo(registry);
    await client.query('begin');
    const run = async (text: string, values: unknown[] = []): Promise<void> => {
      await client.query(text, values);
    };
    const end = async (text: string): Promise<void> => {
      await client.query(text);
      await disconnect(client);
    };
    return {
      insert: (row, metadata) =>
        run('insert into projects (id, name, database_name, metadata) values ($1, $2, $3, $4)', [
          row.id,
          row.name,
          row.databaseName,
          metadata === null ? null : JSON.stringify(metadata ?? { ...row.metadata, registrar: row.registrar }),
        ]),
      rename: (id, name) => run('update projects set name = $2 where id = $1', [id, name]),
      touch: (id) => run(`update projects set metadata = metadata || '{"touched": true}' where id = $1`, [id]),
      remove: (id) => run('delete from projects where id = $1', [id]),
      async comment(databaseName, comment) {
        const secret = await lockSecret(async (text) => (await client.query<Record<string, unknown>>(text)).rows);
        await run(takeLockSql, [lockText(secret, commentLock(databaseName))]);
        await run(`comment on database "${databaseName}" is ${pg.escapeLiteral(comment)}`);
      },
      commit: () => end('commit'),
      rollback: () => end('rollback'),
    };
  }

  return {
    member,
    newRow(registrar = { state: 'provisioning' }): RegistryRow {
      rows += 1;
      const id = randomUUID();
      const databaseName = `${prefix}_${String(rows)}_${id.slice(0, 8)}`;
      const now = new Date().toISOString();
      const columns = { id, name: `shop ${String(rows)}`, databaseName, description: null };
      return { ...columns, createdAt: now, updatedAt: now, metadata: {}, registrar };
    },
    begin,
    async waiting(count) {
      const deadline = performance.now() + 30_000;
      for (;;) {
        const { rows: found } = await admin.query<{ count: number }>(
          `select count(*)::int from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
          [registry],
        );
        if ((found[0]?.count ?? 0) >= count) return;
        assert.ok(performance.now() < deadline, 'nobody waits');
      }
    },
    superuser: decodeURIComponent(new URL(url).username),
    stranger: () => newRole('createdb'),
    async makeDatabase(name, options = {}) {
      await admin.query(`create database "${name}" owner ${options.owner ?? owner}`);
      if (options.comment !== undefined)
        await admin.query(`comment on database "${name}" is ${pg.escapeLiteral(options.comment)}`);
      if (options.hasTable !== true) return;
      const client = await connectTo(name);
      await client.query('create table notes (text text)');
      await disconnect(client);
    },
    async dropDatabase(name) {
      await admin.query(`drop database "${name}" with (force)`);
    },
    async interruptDrop(name) {
      await admin.query('update pg_database set datconnlimit = -2 where datname = $1', [name]);
    },
    async connect(database, role) {
      const client = await connectTo(database, role);
      return {
        isOpen: () =>
          client.query('select 1').then(
            () => true,
            () => false,
          ),
        close: () => disconnect(client),
      };
    },
    leave,
    async close() {
      await leave();
      for (const client of clients) if (client !== admin) await disconnect(client);
      const made = await admin.query<{ datname: string }>(
        `select datname from pg_database where starts_with(datname, $1) or datname = $2`,
        [prefix, registry],
      );
      for (const { datname } of made.rows) await admin.query(`drop database "${datname}" with (force)`);
      for (const role of roles.reverse()) await admin.query(`drop role ${role}`);
      await disconnect(admin);
    },
  };
}

function faultsOf(proxy: KillPoint): Pick<Member, 'breakAt' | 'take'> {
  let taken = 0;
  return {
    breakAt(statement, when) {
      taken = 0;
      const at = (label: string): boolean => nameOf(label) === statement;
      proxy.set({ at, when, kill: () => Promise.resolve() });
    },
    take() {
      const names = proxy.steps().slice(taken).map(nameOf);
      taken = proxy.steps().length;
      return names.filter((name) => name !== null);
    },
  };
}

/** What a statement does; prepared ones show by their names from the second time on. */
const patterns: readonly (readonly [string, RegExp])[] = [
  ['commit', /^commit/],
  ['comment', /^comment on database/],
  ['create', /^create database/],
  ['drop', /^drop database/],
  ['deliver', /jsonb_to_recordset/],
  ['reserve', /^reserve_|insert into public\.projects[^;]*on conflict do nothing/],
  ['insert', /^insert_|insert into public\.projects/],
  ['change', /^change_|update public\.projects/],
  ['remove', /^remove_|delete from public\.projects where id \S+ \$1 and name/],
  ['delete', /delete from public\.projects/],
  ['hold', /for update$/],
  ['look', /^look_|where p\.id \S+ \$1 or p\.name/],
];

function nameOf(label: string): string | null {
  return patterns.find(([, pattern]) => pattern.test(label))?.[0] ?? null;
}
