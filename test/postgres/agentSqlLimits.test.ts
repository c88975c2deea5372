import assert from 'node:assert/strict';
import { defaultAgentLimits } from '../../daemon/postgres/agentSql/agentSession.ts';
import { agentProject, type AgentProjectFixture } from '../support/agentSqlFixture.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { serverAddress } from '../support/serverAddress.ts';

/** Longer than any test may take: whoever ends by itself was not stopped. */
const forever = 'select pg_sleep(1e9)';

describe('the limits of SQL of agents', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  /** Stops statements after a second. */
  let hasty: AgentProjectFixture;
  /** Stops no statement of these tests by its time. */
  let patient: AgentProjectFixture;
  before(async () => {
    fixture = await registryFixture();
    hasty = await agentProject(fixture, 'hasty', { agentLimits: { ...defaultAgentLimits, statementMs: 1000 } });
    patient = await agentProject(fixture, 'patient', {
      agentLimits: { ...defaultAgentLimits, statementMs: 600_000, lockMs: 200 },
    });
    for (const project of [hasty, patient]) {
      await project.sql(`create table goods (id int); insert into goods values (1);
        create function unlimited() returns text language sql immutable
          as $$ select set_config('statement_timeout', '0', false) $$`);
    }
  });
  after(() => fixture.close());

  /** Resolves when no session of the project's role is left, within the test's limit. */
  async function gone(project: AgentProjectFixture, role: string): Promise<void> {
    const sessions = async (): Promise<unknown[]> =>
      project.sql('select from pg_stat_activity where usename = $1', [role]);
    while ((await sessions()).length > 0);
  }

  /** How many sessions of the role sleep; before, they are asked about the statement and run others. */
  async function asleep(project: AgentProjectFixture, role: string): Promise<number> {
    const sql = `select from pg_stat_activity where usename = $1 and wait_event = 'PgSleep'`;
    return (await project.sql(sql, [role])).length;
  }

  describe('time', () => {
    const slow = {
      'a sleep': forever,
      'a series in FROM, which PostgreSQL would write to disk': 'select count(*) from generate_series(1, 1e12::int8) n',
      'a sleep that switches the server’s limit off': `select set_config('statement_timeout', '0', false), pg_sleep(1e9)`,
      'a function that switches it off before the statement begins': 'select unlimited(), pg_sleep(1e9)',
    };
    for (const [title, sql] of Object.entries(slow)) {
      it(`ends ${title}`, async () => {
        const role = await patient.role();
        const error = await hasty.refuse(sql, 'SQL_TIMEOUT');
        assert.match(error.message, /limit is 1 s/);
        await gone(hasty, role);
      });
    }

    it('ends a wait for a lock', async () => {
      await patient.sql('begin');
      await patient.sql('lock table goods in access exclusive mode');
      try {
        const error = await patient.refuse('select * from goods', 'SQL_TIMEOUT');
        assert.equal(error.details?.['sqlState'], '55P03');
      } finally {
        await patient.sql('rollback');
      }
    });

    it('ends a statement of a server that says nothing any more', async () => {
      const { spy } = fixture;
      const role = await hasty.role();
      await gone(hasty, role);
      // What is asked never arrives, nor does the request to cancel it.
      spy.onStatement = (sql) => {
        if (sql.includes('unheard')) spy.hold = true;
      };
      try {
        await hasty.refuse('select 1 as unheard', 'SQL_TIMEOUT');
      } finally {
        spy.onStatement = null;
        spy.hold = false;
        spy.cut();
      }
    });
  });

  describe('cancelling', () => {
    it('reaches the server', async () => {
      const role = await patient.role();
      await gone(patient, role);
      const abort = new AbortController();
      const asked = patient.engine.queryDatabase({ project: patient.id, sql: forever }, abort.signal);
      while ((await asleep(patient, role)) === 0);
      const reason = new Error('nobody waits any more');
      abort.abort(reason);
      await assert.rejects(asked, (error) => error === reason);
      await gone(patient, role);
    });

    it('asks nothing when it came before', async () => {
      fixture.spy.take();
      const asked = patient.engine.queryDatabase({ project: patient.id, sql: 'select 4711' }, AbortSignal.abort());
      await assert.rejects(asked, { name: 'AbortError' });
      assert.ok(!fixture.spy.take().some((sql) => sql.includes('4711')));
    });

    it('describes nothing then either', async () => {
      await assert.rejects(patient.engine.describeDatabase({ project: patient.id }, AbortSignal.abort()), {
        name: 'AbortError',
      });
    });
  });

  describe('size', () => {
    /** Without the spy, which holds whole messages. */
    let direct: AgentProjectFixture;
    before(async () => {
      const address = { ...(await serverAddress()), registryDatabase: fixture.registry };
      direct = await agentProject(fixture, 'direct', { address });
      await direct.ask('select 1');
    });
    after(async () => {
      await direct.engine.dropProject({ project: direct.id, confirm: direct.databaseName });
    });

    it('gives no part of one value that is too large, and never holds it', async () => {
      const before = process.memoryUsage().arrayBuffers;
      const result = await direct.ask(`select repeat('x', 100000000)`);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.deepEqual([result.rows, result.truncated, result.truncatedBy], [[], true, 'bytes']);
      assert.deepEqual(result.columns, [{ name: 'repeat', type: 'text' }]);
      assert.ok(grown < 50_000_000, String(grown));
    });

    it('gives the rows of a gigabyte that fit', async () => {
      const result = await direct.ask(`select repeat('x', 300000) from generate_series(1, 4000)`, { limit: 1000 });
      assert.deepEqual([result.rows.length, result.truncated, result.truncatedBy], [3, true, 'bytes']);
    });

    it('gives what just fits as a whole', async () => {
      const result = await direct.ask(`select repeat('x', 1048000)`);
      assert.deepEqual([result.rows.length, result.truncated], [1, false]);
    });

    it('is not used up by notices or by what an error quotes', async () => {
      await direct.sql(`create function talks() returns int language plpgsql as
        $$ begin for i in 1..100000 loop raise notice '%', repeat('x', 1000); end loop; return 1; end $$`);
      assert.deepEqual((await direct.ask('select talks()')).rows, [[1]]);
      const result = await direct.ask(`select repeat('x', 50000000)::int`);
      assert.deepEqual([result.rows, result.truncatedBy], [[], 'bytes']);
    });

    it('stops an endless list at the rows', async () => {
      const result = await direct.ask('select generate_series(1, 1e12::int8)');
      assert.deepEqual([result.rows.length, result.truncatedBy], [100, 'rows']);
    });
  });

  it('lets a few run at once, and the others wait their turn', async () => {
    const role = await patient.role();
    await gone(patient, role);
    const abort = new AbortController();
    const asked = Array.from({ length: 6 }, () =>
      patient.engine
        .queryDatabase({ project: patient.id, sql: forever }, abort.signal)
        .catch((error: unknown) => error),
    );
    try {
      while ((await asleep(patient, role)) < defaultAgentLimits.atOnceEach);
      // Whoever waits has no session yet.
      const sessions = await patient.sql('select from pg_stat_activity where usename = $1', [role]);
      assert.equal(sessions.length, defaultAgentLimits.atOnceEach);
    } finally {
      abort.abort();
    }
    for (const answer of await Promise.all(asked)) assert.equal((answer as Error).name, 'AbortError');
    await gone(patient, role);
  });

  it('limits what a statement writes to the server’s disk, where the daemon’s role may', async () => {
    const rows = await patient.sql('select rolconfig from pg_roles where rolname = $1', [await patient.role()]);
    assert.deepEqual(rows, [{ rolconfig: ['temp_file_limit=1GB'] }]);
  });
});
