import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RegistrarMetadata } from '../../../daemon/registry/model.ts';
import { readRegistrarMetadata } from '../../../daemon/registry/rowMetadata.ts';

const whole: Required<RegistrarMetadata> = {
  state: 'ready',
  folder: { host: 'a', path: '/work/shop' },
  git: { origins: ['github.com/acme/shop'], pathInRepository: 'packages/web' },
  formerIds: ['1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0'],
  claims: { 'a:/work/shop': { name: 'shop', at: '2026-11-01T10:00:00.000Z' } },
  evidence: {
    origins: [
      { origin: 'github.com/acme/shop', path: 'packages/web' },
      { origin: 'file:/srv/shop', path: '', hostId: 'h' },
    ],
    folder: {
      hostId: 'h',
      host: 'a',
      path: '/work/shop',
      identity: { device: '1', inode: '2', birth: '3' },
      dotGit: null,
      origins: ['github.com/acme/shop'],
    },
    claims: [
      {
        hostId: 'h',
        host: 'a',
        path: '/work/till',
        identity: null,
        dotGit: { device: '1', inode: '4', birth: '5' },
        origins: [],
        name: 'shop',
        at: '2026-11-01T10:00:00.000Z',
      },
    ],
    hashes: ['aa'],
  },
  creator: 'ann@a',
  lastUsedAt: '2026-11-01T10:00:00.000Z',
  rebuilt: true,
  recreating: true,
  databaseNameChosen: true,
  madeAs: 'team',
  adoptedOwner: 'app',
};

/** Values that no field has. */
const wrong: [field: keyof RegistrarMetadata, values: unknown[]][] = [
  ['state', ['gone', 5, null, ['ready']]],
  ['folder', ['/work/shop', null, {}, { host: 'a' }, { host: 'a', path: 5 }, ['a', '/work/shop']]],
  ['git', [null, 'github.com/acme/shop', {}, { origins: 'x', pathInRepository: '' }, { origins: [] }]],
  ['formerIds', ['1f2e3d4c', {}, null]],
  ['claims', [null, 'shop', ['shop']]],
  ['evidence', [5, null, 'yes', ['github.com/acme/shop']]],
  ['creator', [5, null, {}]],
  ['lastUsedAt', [1_762_000_000, null]],
  ['recreating', ['true', 1, false, null]],
  ['databaseNameChosen', ['true', 1, false, null]],
  ['madeAs', [5, null, {}]],
  ['adoptedOwner', [true, null, ['app']]],
];

describe('metadata.registrar of a row', () => {
  it('is read whole', () => {
    assert.deepEqual(readRegistrarMetadata({ team: 'north', registrar: whole }), whole);
  });

  for (const metadata of [
    null,
    undefined,
    {},
    [],
    'x',
    5,
    { registrar: null },
    { registrar: [] },
    { registrar: 'x' },
  ]) {
    it(`is empty where metadata is ${JSON.stringify(metadata)}`, () => {
      assert.deepEqual(readRegistrarMetadata(metadata), {});
    });
  }

  for (const [field, values] of wrong) {
    it(`lacks ${field} where it has another shape, and keeps the rest`, () => {
      const { [field]: _wrong, ...rest } = whole;
      for (const value of values) {
        assert.deepEqual(
          readRegistrarMetadata({ registrar: { ...whole, [field]: value } }),
          rest,
          JSON.stringify(value),
        );
      }
    });
  }

  it('drops single claims, ids and origins of another shape', () => {
    const registrar = {
      claims: { 'a:/x': { name: 'x', at: 'then' }, 'a:/y': { name: 5, at: 'then' }, 'a:/z': null },
      formerIds: ['one', 2, null],
      git: { origins: ['github.com/acme/shop', 7], pathInRepository: '' },
    };
    assert.deepEqual(readRegistrarMetadata({ registrar }), {
      claims: { 'a:/x': { name: 'x', at: 'then' } },
      formerIds: ['one'],
      git: { origins: ['github.com/acme/shop'], pathInRepository: '' },
    });
  });

  it('reads the same again from what it read, and never throws', () => {
    const anyField = fc.oneof(fc.jsonValue(), ...Object.values(whole).map((value) => fc.constant(value)));
    const anyRegistrar = fc.dictionary(fc.constantFrom(...Object.keys(whole), 'other'), anyField);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          anyRegistrar.map((registrar) => ({ registrar })),
        ),
        (metadata) => {
          const read = readRegistrarMetadata(metadata);
          assert.deepEqual(readRegistrarMetadata({ registrar: read }), read);
          for (const key of Object.keys(read)) assert.ok(key in whole, key);
        },
      ),
    );
  });
});
