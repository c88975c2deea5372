import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normaliseOrigin } from '../../../daemon/git/gitRemotes.ts';

describe('H3: the address of a repository', () => {
  const same = [
    'git@host.example:a/b.git',
    'GIT@HOST.example:a/b',
    'host.example:a/b/',
    'host.example:/a/b',
    'git@[host.example:22]:a/b',
    'ssh://git@host.example:22/a/b',
    'git+ssh://host.example/a/b.git/',
    'https://user:tok@host.example/a/b/',
    'https://Host.Example:443//a//b.git?x=1#y',
    'http://host.example:80/a/b',
    'git://host.example:9418/a/%62',
  ];
  for (const url of same) {
    it(`${url} is host.example/a/b`, () => {
      assert.equal(normaliseOrigin(url), 'host.example/a/b');
    });
  }

  const others: [url: string, origin: string | null][] = [
    ['ssh://host:2222/a/b', 'host:2222/a/b'],
    ['git@[host:2222]:a/b', 'host:2222/a/b'],
    ['https://host:8443/A/b', 'host:8443/A/b'],
    ['ssh://git@[::1]/a/b', '[::1]/a/b'],
    ['git@[::1]:a/b', '[::1]/a/b'],
    ['/srv/git/b.git', 'file:/srv/git/b'],
    ['/home/a/b/.git', 'file:/home/a/b'],
    ['file:///srv/git/b/', 'file:/srv/git/b'],
    ['file://localhost/srv/git/b', 'file:/srv/git/b'],
    ['C:\\git\\b', 'file:C:/git/b'],
    ['file:///C:/git/b', 'file:C:/git/b'],
    ['../b.git', null],
    ['./a:b', null],
    ['', null],
    ['  ', null],
    ['host:', null],
    ['https://host', null],
    ['https://host/', null],
    ['ext::sh -c x', null],
    ['codecommit::eu-west-1://shop', null],
    ['unknown://host/a', null],
  ];
  for (const [url, origin] of others) {
    it(`${JSON.stringify(url)} is ${origin ?? 'none'}`, () => {
      assert.equal(normaliseOrigin(url), origin);
    });
  }

  it('never carries what stands before the host', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_', '~', '%40', ':'), minLength: 1 });
    fc.assert(
      fc.property(word, word, fc.constantFrom('https', 'ssh', 'http'), (user, password, scheme) => {
        const origin = normaliseOrigin(`${scheme}://${user}:${password}@host/a/b`);
        assert.ok(origin === 'host/a/b' || origin === null, String(origin));
      }),
    );
  });
});
