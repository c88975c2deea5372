import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseId } from '../../../daemon/registry/ids.ts';

const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';

describe('project ids', () => {
  it('R3: are read in any spelling and leave in one', () => {
    const spellings: ((text: string) => string)[] = [
      (text) => text,
      (text) => text.replaceAll('-', ''),
      (text) => `{${text}}`,
      (text) => `urn:uuid:${text}`,
      (text) => `{${text.replaceAll('-', '')}}`,
    ];
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom(...spellings), fc.boolean(), (anyId, spell, upper) => {
        const text = spell(anyId);
        assert.equal(parseId(upper ? text.toUpperCase() : text), anyId);
      }),
    );
  });

  it('may be the nil UUID, which is the default project', () => {
    assert.equal(parseId('0'.repeat(32)), '00000000-0000-0000-0000-000000000000');
  });

  const others = [
    '',
    'shop',
    id.slice(1),
    `${id}0`,
    `{${id}`,
    `${id}}`,
    ` ${id}`,
    `${id}\n`,
    id.replace('1', 'g'),
    '1f2e-3d4c5b6a-4978-8796-a5b4c3d2e1f0',
    '-'.repeat(36),
  ];
  for (const text of others) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseId(text), null);
    });
  }
});
