import assert from 'node:assert/strict';
import fc from 'fast-check';
import pg from 'pg';
import { sqlIdentifier, sqlLiteral } from '../../daemon/protocol/sqlText.ts';
import { hasUnseen } from '../../daemon/protocol/visibleText.ts';
import { hostileTexts } from '../support/hostileTexts.ts';
import { testServer } from '../support/testServer.ts';

describe('SQL that people copy', function () {
  this.timeout(30_000);
  let client: pg.Client;
  before(async () => {
    client = new pg.Client({ connectionString: (await testServer()).url, database: 'postgres' });
    await client.connect();
  });
  after(() => client.end());

  it('I7: gives back every name and value, and holds nothing that a reader does not see', async () => {
    // PostgreSQL keeps 63 bytes of a name.
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 15 });
    const hostile = Object.values(hostileTexts).filter((text) => text !== '');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constantFrom(...hostile), name), async (text) => {
        fc.pre(!text.includes('\0'));
        const short = Array.from(text).slice(0, 15).join('');
        const sql = `select ${sqlLiteral(text)} as ${sqlIdentifier(short)}`;
        assert.equal(hasUnseen(sql), false);
        assert.deepEqual((await client.query(sql)).rows, [{ [short]: text }]);
      }),
      { numRuns: 200 },
    );
  });
});
