import assert from 'node:assert/strict';
import fc from 'fast-check';
import { portProblem, readWhere, urlOf } from '../../../extension/addressParts.ts';
import { parseAddress } from '../../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../../daemon/postgres/address/localSurroundings.ts';

describe('where a PostgreSQL is', () => {
  const cases: [string, ReturnType<typeof readWhere>][] = [
    [' postgresql://me@db ', { kind: 'address', url: 'postgresql://me@db' }],
    ['postgres://db', { kind: 'address', url: 'postgres://db' }],
    ['host=db user=me', { kind: 'address', url: 'host=db user=me' }],
    ['db.example', { kind: 'host', host: 'db.example', port: '' }],
    ['db.example:5433', { kind: 'host', host: 'db.example', port: '5433' }],
    ['[::1]:5433', { kind: 'host', host: '::1', port: '5433' }],
    ['::1', { kind: 'host', host: '::1', port: '' }],
    ['/run/postgresql', { kind: 'host', host: '/run/postgresql', port: '' }],
  ];
  for (const [text, expected] of cases) {
    it(`is read from “${text}”`, () => {
      assert.deepEqual(readWhere(text), expected);
    });
  }

  it('is asked again when nothing, another kind of address or a login without a scheme is typed', () => {
    for (const text of ['', 'http://db', 'mysql://db', 'me@db', 'db/app', 'db:port']) {
      assert.equal(readWhere(text).kind, 'problem', text);
    }
  });

  it('has a port from 1 to 65535, or the usual one', () => {
    for (const port of ['', '1', '65535']) assert.equal(portProblem(port), null);
    for (const port of ['0', '65536', '-1', '5e3', 'x']) assert.notEqual(portProblem(port), null);
  });

  it('is the same after its pieces were put together, whatever characters they have', () => {
    const user = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
    const database = fc.constantFrom('', 'registry', 'a b', 'ü/%?');
    const host = fc.constantFrom('db.example', '::1', '/run/postgresql', '10.0.0.1');
    fc.assert(
      fc.property(user, database, host, (name, registry, place) => {
        const url = urlOf({ host: place, port: '5433', user: name, database: registry });
        const address = parseAddress(url, {}, localSurroundings());
        assert.deepEqual(address.hosts, [{ host: place, port: 5433 }]);
        assert.equal(address.user, name);
        assert.equal(address.registryDatabase, registry === '' ? 'codebase_mcp_registry' : registry);
      }),
    );
  });
});
