import assert from 'node:assert/strict';
import type { MemoryPort } from '../../daemon/registry/ports.ts';
import { storedRow, type StoreGround } from './storeGround.ts';

/** What the rules may rely on of the projects that a daemon knows, on a disk and in the world. */
export function memoryContract(newGround: () => Promise<StoreGround<MemoryPort>>): void {
  const here = { host: 'here', path: '/work/shop' };
  const there = { host: 'there', path: '/work/shop' };
  // As the registry gives it: `metadata` as it is stored, and what of it is Registrar's beside it.
  const registrar = { state: 'ready' } as const;
  const shop = { ...storedRow('shop', 1), metadata: { team: 'a', registrar }, registrar };
  let ground: StoreGround<MemoryPort>;
  let memory: MemoryPort;
  beforeEach(async () => {
    ground = await newGround();
    memory = await ground.open();
  });
  afterEach(() => ground.close());

  it('recalls a project by its id, also after a kill', async () => {
    memory.remember(shop, here);
    const at = ground.now();
    for (const one of [memory, await ground.open()]) {
      assert.deepEqual(one.recall({ id: shop.id, name: 'other' }, null), { row: shop, at });
      assert.equal(one.recall({ id: storedRow('', 2).id, name: 'shop' }, here), null);
    }
  });

  it('recalls a project by a former id, and the one that has the id rather than one that had it', () => {
    const next = { ...storedRow('shop', 2), registrar: { state: 'ready' as const, formerIds: [shop.id] } };
    memory.remember(next, here);
    assert.equal(memory.recall({ id: shop.id, name: null }, null)?.row.id, next.id);
    memory.remember(shop, here);
    assert.equal(memory.recall({ id: shop.id, name: null }, null)?.row.id, shop.id);
  });

  it('recalls a project by its name in a folder that resolved to it, and in no other', async () => {
    memory.remember(shop, here);
    memory.remember(shop, null);
    for (const one of [memory, await ground.open()]) {
      assert.equal(one.recall({ id: null, name: 'shop' }, here)?.row.id, shop.id);
      assert.equal(one.recall({ id: null, name: 'shop' }, null)?.row.id, shop.id);
      assert.equal(one.recall({ id: null, name: 'shop' }, there), null);
      assert.equal(one.recall({ id: null, name: 'wiki' }, here), null);
    }
  });

  it('recalls of two with a name the one that was remembered first, and a project that was used again last', () => {
    const again = storedRow('shop', 2);
    for (const row of [shop, again]) memory.remember(row, here);
    assert.equal(memory.recall({ id: null, name: 'shop' }, here)?.row.id, shop.id);
    memory.remember(shop, here);
    assert.equal(memory.recall({ id: null, name: 'shop' }, here)?.row.id, again.id);
  });

  it('says when the registry last confirmed it, to the minute where nothing changed', () => {
    const atOf = (): string | undefined => memory.recall({ id: shop.id, name: null }, null)?.at;
    memory.remember(shop, here);
    const first = ground.now();
    ground.move(60_000);
    memory.remember({ ...shop, description: 'new' }, here);
    assert.equal(atOf(), first);
    assert.equal(memory.recall({ id: shop.id, name: null }, null)?.row.description, 'new');
    memory.remember(shop, there);
    assert.equal(atOf(), ground.now());
    ground.move(60_001);
    memory.remember(shop, here);
    assert.equal(atOf(), ground.now());
    ground.move(1);
    memory.remember({ ...shop, name: 'store' }, null);
    assert.equal(atOf(), ground.now());
  });

  it('forgets a project', async () => {
    memory.remember(shop, here);
    memory.forget(shop.id);
    for (const one of [memory, await ground.open()])
      assert.equal(one.recall({ id: shop.id, name: 'shop' }, here), null);
  });
}
