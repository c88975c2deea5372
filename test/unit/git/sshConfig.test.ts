import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sshDestination } from '../../../daemon/git/sshConfig.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();

describe("I3: the user's ssh configuration", () => {
  const cases: [what: string, host: string, config: string, expected: [string | null, string | null]][] = [
    ['is not there', 'work', '', [null, null]],
    ['names host and port', 'work', 'Host work\n\tHostName github.com\n\tPort 2222', ['github.com', '2222']],
    ['is written with = and quotes, in any case', 'work', 'host="work"\nHOSTNAME = "github.com"', ['github.com', null]],
    ['says it once: the first counts', 'work', 'Host w*\nHostName a\nHost *\nHostName b\nPort 7', ['a', '7']],
    ['applies to all before the first Host', 'x', 'Port 7\nHost y\nPort 8', [null, '7']],
    ['has patterns', 'a1.corp', 'Host b? ?1.corp\nHostName c', ['c', null]],
    ['has exceptions', 'a.corp', 'Host *.corp !a.corp\nHostName c\nHost a.*\nHostName d', ['d', null]],
    ['has only exceptions', 'a', 'Host !b\nHostName c', [null, null]],
    ['has the host in the name', 'a', 'Host *\nHostName %h.corp%%', ['a.corp%', null]],
    ['has other tokens, which do not count', 'a', 'Host *\nHostName %n.corp', [null, null]],
    ['has conditions that are programs', 'a', 'Match exec "touch /tmp/x"\nHostName b\nHost a\nHostName c', ['c', null]],
    ['has a condition that always holds', 'a', 'Host b\nPort 1\nMatch all\nHostName c', ['c', null]],
    ['has comments', 'a', '# Host a\nHost a # b\n#HostName x\nHostName y # z', ['y', null]],
    ['has an IPv6 address', 'a', 'Host a\nHostName ::1', ['[::1]', null]],
    ['is nonsense', 'a', '\0\n====\nHost\nHostName\nPort x\nHost [a(*\nPort 99999999', [null, null]],
  ];
  for (const [what, host, config, [hostName, port]] of cases) {
    it(what, async () => {
      const home = scratch.path(what.replaceAll(/\W/g, '_'));
      if (config !== '') await put(join(home, '.ssh', 'config'), config);
      assert.deepEqual(await sshDestination(host, { home }), { hostName, port });
    });
  }

  it('includes files of its folder, in their place and under its conditions, and no others', async () => {
    const home = scratch.path('including');
    const file = (...parts: string[]): string => join(home, '.ssh', ...parts);
    const destination = async (host: string): Promise<string | null> => (await sshDestination(host, { home })).hostName;
    await put(
      file('config'),
      'Include config.d/*.conf ~/.ssh/more\nHost b\n Include onlyB ../outside /etc/hosts\nHost *\n HostName last',
    );
    await put(file('config.d', '1.conf'), 'Host a\n HostName first\nInclude config');
    await put(file('config.d', '2.conf'), 'Host a c\n HostName second');
    await put(file('config.d', '.3.conf'), 'Host d\n HostName hidden');
    await put(file('more'), 'Host e\n HostName more');
    await put(file('onlyB'), 'HostName b1\n');
    await put(join(home, 'outside'), 'Host *\n HostName outside');
    assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(destination)), [
      'first',
      'b1',
      'second',
      'last',
      'more',
      'last',
    ]);
  });
});
