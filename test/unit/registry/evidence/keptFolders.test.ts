import assert from 'node:assert/strict';
import { hashedFolder } from '../../../../daemon/registry/evidence/evidence.ts';
import { isKeptOf, isSameFile, stillFits, type FolderNow } from '../../../../daemon/registry/evidence/keptFolders.ts';
import type { KeptFolder } from '../../../../daemon/registry/model.ts';

const born = { device: '1', inode: '2', birth: '1796064296576545397' };
const unborn = { ...born, birth: '0' };

describe('what is kept of a folder', () => {
  const kept: KeptFolder = { hostId: 'h', host: 'tower', path: '/w', identity: unborn, dotGit: unborn, origins: [] };
  const other = { origins: ['git.example/mallory/evil'] } as FolderNow['git'];
  const now: FolderNow = { path: '/w', identity: unborn, dotGit: unborn, configStamp: null, git: null };

  it('I2: is another folder’s, too, where the file system keeps no time of birth and gives numbers again', () => {
    assert.equal(isSameFile(born, { ...born }), true);
    assert.equal(isSameFile(unborn, { ...unborn }), false);
    assert.equal(isSameFile(null, null), false);
    assert.equal(hashedFolder({ host: 'tower', path: '/w', identity: unborn }), null);
    assert.equal(isKeptOf({ ...kept, hostId: 'another' }, now, { id: 'h', name: 'tower' }), false);
    assert.equal(stillFits(kept, { ...now, git: other }), false);
    assert.equal(stillFits({ ...kept, identity: null, dotGit: null }, { ...now, git: other }), false);
  });

  it('I2: fits the same folder with an origin that came later, and any without one', () => {
    assert.equal(stillFits(kept, now), true);
    assert.equal(stillFits({ ...kept, identity: born }, { ...now, identity: born, git: other }), true);
    assert.equal(stillFits({ ...kept, identity: born, dotGit: born }, { ...now, dotGit: born }), true);
  });

  it('I3: fits, of version 0.1, what stands at its path: that noted neither folder nor .git', () => {
    assert.equal(stillFits({ ...kept, hostId: '', identity: null, dotGit: null }, { ...now, git: other }), true);
  });
});
