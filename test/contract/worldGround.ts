import assert from 'node:assert/strict';
import { takeCommentLock } from '../support/world/comment.ts';
import type { RegistryRow } from '../../daemon/registry/model.ts';
import { storedOf } from '../support/world/registry.ts';
import { World } from '../support/world.ts';
import { statements, type Ground, type Member, type MemberOptions, type OpenTransaction } from './ground.ts';

/** The contract's ground in memory. */
export async function worldGround(): Promise<Ground> {
  const world = new World();
  const { server } = world;
  let roles = 0;
  let rows = 0;

  function newRole({ lacks = [], memberOf }: Pick<MemberOptions, 'lacks' | 'memberOf'>): string {
    roles += 1;
    const privileges = lacks.filter((one) => one !== 'createdb');
    return server.addRole(`role ${String(roles)}`, {
      mayCreateDatabases: !lacks.includes('createdb'),
      lacks: new Set(privileges),
      memberOf: memberOf === undefined ? [] : [memberOf],
    });
  }

  async function member(options: MemberOptions = {}): Promise<Member> {
    const { lacks, memberOf, ownerRole = null, projectSchema = null } = options;
    const role = lacks || memberOf !== undefined ? newRole(options) : 'registrar';
    const daemon = world.daemon({ role, ownerRole, projectSchema });
    const { registry, catalog, client } = daemon;
    return {
      role,
      registry,
      catalog,
      deliver: (entries) => daemon.deliver(entries),
      readRegistry: () => daemon.readRegistry(),
      breakAt(statement, when) {
        world.passage.plan(daemon.options.name, statement, when === 'before' ? 'away' : 'lost');
      },
      take: () => client.sent.splice(0).filter((what) => statements.includes(what)),
    };
  }

  async function begin(): Promise<OpenTransaction> {
    const transaction = server.begin();
    const change = async (id: string, next: Parameters<typeof server.change>[2]): Promise<void> => {
      await server.change(transaction, (row) => row.id === id, next);
    };
    return {
      async insert(row, metadata) {
        const stored = { ...storedOf(row), ...(metadata === undefined ? {} : { metadata }) };
        await server.insert(transaction, stored as ReturnType<typeof storedOf>, false);
      },
      rename: (id, name) => change(id, (row) => ({ ...row, name })),
      touch: (id) => change(id, (row) => ({ ...row, metadata: { ...row.metadata, touched: true } })),
      remove: (id) => change(id, () => null),
      async comment(databaseName, comment) {
        await takeCommentLock(server, databaseName, transaction);
        await server.comment(transaction, 'registrar', databaseName, comment);
      },
      commit: async () => {
        server.commit(transaction);
      },
      rollback: async () => {
        server.rollback(transaction);
      },
    };
  }

  return {
    member,
    newRow(registrar = { state: 'provisioning' }): RegistryRow {
      rows += 1;
      const id = world.newId();
      const databaseName = `cb_proj_shop_${String(rows)}_${id.slice(0, 8)}`;
      const now = world.clock.now();
      const columns = { id, name: `shop ${String(rows)}`, databaseName, description: null };
      return { ...columns, createdAt: now, updatedAt: now, metadata: {}, registrar };
    },
    begin,
    async waiting(count) {
      for (let turn = 0; server.locks.waiting < count; turn += 1) {
        assert.ok(turn < 1000, 'nobody waits');
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    superuser: 'postgres',
    stranger: async () => newRole({}),
    async makeDatabase(name, { owner = 'registrar', comment, hasTable = false } = {}) {
      world.plantDatabase(name, { owner, comment: comment ?? null, hasRelations: hasTable });
    },
    async dropDatabase(name) {
      server.databases.delete(name);
    },
    async interruptDrop(name) {
      const database = server.databases.get(name);
      assert.ok(database);
      database.isInterrupted = true;
    },
    async connect(database, role = 'registrar') {
      const session = { role, isOpen: true };
      const sessions = server.databases.get(database)?.sessions;
      sessions?.add(session);
      return {
        isOpen: async () => session.isOpen,
        close: async () => {
          sessions?.delete(session);
        },
      };
    },
    leave: async () => undefined,
    close: async () => undefined,
  };
}
