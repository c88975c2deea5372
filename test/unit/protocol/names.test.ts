import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkDatabaseName, checkName, databaseNameFor, proposeName, slug } from '../../../daemon/protocol/names.ts';

const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';

describe('project names', () => {
  const refused: [name: string, proposal: string][] = [
    ['@scope/my.app', 'scope-my-app'],
    ['日本語', 'project'],
    ['', 'project'],
    ['default', 'default-project'],
    ['DeFault', 'DeFault-project'],
    [' default ', 'default-project'],
    ['a'.repeat(300), 'a'.repeat(255)],
    ['   ', 'project'],
    [' shop', 'shop'],
    ['shop ', 'shop'],
    ['Café', 'Cafe'],
    ['shop\n', 'shop'],
    ['a\u0000b', 'a-b'],
    [`${'a'.repeat(254)} b`, 'a'.repeat(254)],
  ];
  for (const [name, proposal] of refused) {
    const shown = name.length > 20 ? `${name.length} characters` : JSON.stringify(name);
    it(`C6: ${shown} is refused, and a valid name is proposed`, () => {
      const check = checkName(name);
      assert.equal(check.ok, false);
      assert.equal(check.proposal, proposal);
      assert.deepEqual(checkName(check.proposal), { ok: true });
    });
  }

  for (const name of ['shop', 'My Shop_2-b', '-', '_', '0', 'a'.repeat(255), 'defaults', 'the default']) {
    it(`${JSON.stringify(name.slice(0, 20))} is a name`, () => {
      assert.deepEqual(checkName(name), { ok: true });
    });
  }

  const proposed: [folder: string, name: string][] = [
    ['shop', 'shop'],
    ['Café Été', 'Cafe Ete'],
    ['default', 'default-project'],
    ['.config', 'config'],
    [' shop', 'shop'],
  ];
  for (const [folder, name] of proposed) {
    it(`a folder ${JSON.stringify(folder)} is offered the name ${JSON.stringify(name)}`, () => {
      assert.equal(proposeName(folder), name);
    });
  }

  it('every name that is accepted satisfies the registry table, every proposal is accepted', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', 'Z', '9', '_', '-', ' ', '.', 'é', '/') }),
    );
    fc.assert(
      fc.property(text, (name) => {
        const check = checkName(name);
        const accepted = check.ok ? name : check.proposal;
        assert.match(accepted, /^[a-zA-Z0-9_ -]{1,255}$/);
        assert.deepEqual(checkName(accepted), { ok: true });
      }),
    );
  });
});

describe('database names', () => {
  it('are made of the slug and eight digits of the id, the next eight on a collision', () => {
    assert.equal(databaseNameFor('My Shop!', id), 'cb_proj_my_shop_1f2e3d4c');
    assert.equal(databaseNameFor('shop', id, 1), 'cb_proj_shop_5b6a4978');
    assert.equal(databaseNameFor('shop', id, 2), 'cb_proj_shop_8796a5b4');
    assert.equal(databaseNameFor('shop', id, 3), 'cb_proj_shop_c3d2e1f0');
    assert.throws(() => databaseNameFor('shop', id, 4), RangeError);
    assert.throws(() => databaseNameFor('shop', id.toUpperCase()), RangeError);
  });

  it('have a slug without leading, trailing or doubled underscores', () => {
    assert.equal(slug('  My--Shop__2 '), 'my_shop_2');
    assert.equal(slug('---'), 'project');
    assert.equal(slug('日本語'), 'project');
    assert.equal(slug(`${'a'.repeat(29)} b`), 'a'.repeat(29));
  });

  it('are valid for any name and id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uuid(), fc.nat(3), (name, anyId, group) => {
        assert.match(slug(name), /^[a-z0-9]+(?:_[a-z0-9]+)*$/);
        assert.ok(slug(name).length <= 30);
        assert.deepEqual(checkDatabaseName(databaseNameFor(name, anyId, group)), { ok: true });
      }),
    );
  });

  const refused = [
    'cb_proj__12345678x',
    'postgres',
    'cb_proj_Shop_12345678',
    'cb_proj_shop_1234567',
    'cb_proj_shop_1234567G',
    'x cb_proj_shop_12345678',
    'cb_proj_shop_12345678\n',
    'cb_proj_shop_12345678; drop database x',
    `cb_proj_${'a'.repeat(47)}_12345678`,
  ];
  for (const name of refused) {
    it(`refuses ${JSON.stringify(name)} as a whole`, () => {
      const check = checkDatabaseName(name);
      assert.equal(check.ok, false);
      assert.notEqual(check.reason, '');
    });
  }

  it('may have 63 bytes', () => {
    assert.deepEqual(checkDatabaseName(`cb_proj_${'a'.repeat(46)}_12345678`), { ok: true });
  });
});
