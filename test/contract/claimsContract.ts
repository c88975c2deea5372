import assert from 'node:assert/strict';
import type { ClaimsFile } from '../../daemon/stateFolder/claimsFile.ts';
import type { KeptClaim } from '../../daemon/registry/model.ts';
import { storedRow, type StoreGround } from './storeGround.ts';

export type ClaimsStore = Pick<ClaimsFile, 'of' | 'at' | 'keep' | 'remove'>;

const shop = storedRow('shop', 1).id;
const wiki = storedRow('wiki', 2).id;

function claimOf(path: string, name: string): KeptClaim {
  const identity = { device: '1', inode: '2', birth: '3' };
  const folder = { hostId: 'h', host: 'here', path, identity, dotGit: null, origins: ['github.com/ann/shop'] };
  return { ...folder, name, at: '2026-01-01T00:00:00.000Z' };
}

/** What the rules may rely on of the claims of folders and of local bindings, on a disk and in the world. */
export function claimsContract(newGround: (perFolder: boolean) => Promise<StoreGround<ClaimsStore>>): void {
  let ground: StoreGround<ClaimsStore>;
  afterEach(() => ground.close());

  function namesOf(claims: ClaimsStore, ...ids: string[]): string[] {
    return claims.of(ids).map(({ name }) => name);
  }

  it('keeps one claim of each folder to each project, the last, also after a kill', async () => {
    ground = await newGround(false);
    const claims = await ground.open();
    await claims.keep(shop, claimOf('/a', 'first'));
    await claims.keep(shop, claimOf('/b', 'other'));
    await claims.keep(wiki, claimOf('/a', 'wiki'));
    await claims.keep(shop, claimOf('/a', 'last'));
    for (const one of [claims, await ground.open()]) {
      assert.deepEqual(namesOf(one, shop), ['other', 'last']);
      assert.deepEqual(namesOf(one, wiki, shop), ['other', 'wiki', 'last']);
      assert.deepEqual(namesOf(one, storedRow('', 3).id), []);
      assert.deepEqual(one.of([wiki]), [claimOf('/a', 'wiki')]);
    }
  });

  it('keeps one binding of each folder, whatever the project, also after a kill', async () => {
    ground = await newGround(true);
    const bindings = await ground.open();
    await bindings.keep(shop, claimOf('/a', 'shop'));
    await bindings.keep(wiki, claimOf('/a', 'wiki'));
    for (const one of [bindings, await ground.open()]) {
      assert.deepEqual(one.at('h', '/a'), { projectId: wiki, claim: claimOf('/a', 'wiki') });
      assert.equal(one.at('h', '/b'), null);
      assert.equal(one.at('other', '/a'), null);
      assert.deepEqual(namesOf(one, shop), []);
    }
  });

  it('says whether it removed something', async () => {
    ground = await newGround(true);
    const bindings = await ground.open();
    await bindings.keep(shop, claimOf('/a', 'shop'));
    assert.equal(await bindings.remove(({ projectId }) => projectId === wiki), false);
    assert.equal(await bindings.remove(({ projectId }) => projectId === shop), true);
    assert.equal(await bindings.remove(({ projectId }) => projectId === shop), false);
    for (const one of [bindings, await ground.open()]) assert.equal(one.at('h', '/a'), null);
  });

  it('counts what the disk refused until the daemon ends, and brings it with the next that is written', async () => {
    ground = await newGround(false);
    const claims = await ground.open();
    await ground.refuse(true);
    await assert.rejects(claims.keep(shop, claimOf('/a', 'refused')));
    assert.deepEqual(namesOf(claims, shop), ['refused']);
    await ground.refuse(false);
    assert.deepEqual(namesOf(await ground.open(), shop), []);
    await claims.keep(shop, claimOf('/b', 'next'));
    assert.deepEqual(namesOf(await ground.open(), shop), ['refused', 'next']);
  });
}
