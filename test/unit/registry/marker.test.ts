import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMarker, writeMarker } from '../../../daemon/registry/marker.ts';
import type { Marker } from '../../../daemon/registry/model.ts';

const marker: Marker = {
  registry: 'codebase_mcp_registry',
  projectId: '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0',
  name: 'shop',
  createdAt: '2026-11-01T10:00:00.000Z',
  schemaVersion: null,
  forgottenAt: null,
};

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const anyMarker: fc.Arbitrary<Marker> = fc.record(
  {
    registry: fc.string(),
    projectId: fc.uuid(),
    name: fc.string({ unit: 'binary' }),
    createdAt: fc.string(),
    schemaVersion: fc.option(fc.string()),
    forgottenAt: fc.option(fc.string()),
    evidence: fc.array(hash, { minLength: 1, maxLength: 3 }),
    folder: hash,
  },
  {
    noNullPrototype: true,
    requiredKeys: ['registry', 'projectId', 'name', 'createdAt', 'schemaVersion', 'forgottenAt'],
  },
);

describe('the identity marker', () => {
  it('has the documented form, with forgotten_at only when it is forgotten', () => {
    const fields = {
      registry: 'codebase_mcp_registry',
      project_id: marker.projectId,
      name: 'shop',
      created_at: '2026-11-01T10:00:00.000Z',
      schema_version: null,
    };
    assert.deepEqual(JSON.parse(writeMarker(marker, null)), { registrar: fields });
    assert.deepEqual(JSON.parse(writeMarker({ ...marker, forgottenAt: 'now' }, null)), {
      registrar: { ...fields, forgotten_at: 'now' },
    });
  });

  it('is read as it was written, whatever the comment held before', () => {
    const previous = fc.oneof(fc.constant(null), fc.string({ unit: 'binary' }), fc.json());
    fc.assert(
      fc.property(anyMarker, previous, (written, before) => {
        assert.deepEqual(readMarker(writeMarker(written, before)), { kind: 'marker', marker: written });
      }),
    );
  });

  it('takes nothing for a hash of its evidence that is none', () => {
    const written = writeMarker(
      { ...marker, evidence: ['not a hash', 'A'.repeat(64)], folder: '/home/ann/shop' },
      null,
    );
    assert.deepEqual(readMarker(written), { kind: 'marker', marker });
  });

  it('keeps a person’s note, also when it is marked again', () => {
    const once = writeMarker(marker, 'the shop’s data, ask Ann');
    const twice = writeMarker({ ...marker, name: 'store' }, once);
    assert.equal((JSON.parse(twice) as { comment: string }).comment, 'the shop’s data, ask Ann');
  });

  it('keeps another tool’s keys and takes an older marker’s away', () => {
    const other = fc.dictionary(
      fc.string().filter((key) => key !== 'registrar' && key !== '__proto__'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(other, anyMarker, (keys, older) => {
        const before = writeMarker({ ...older, forgottenAt: 'then' }, JSON.stringify(keys));
        const { registrar, ...kept } = JSON.parse(writeMarker(marker, before)) as Record<string, unknown>;
        assert.deepEqual(kept, JSON.parse(JSON.stringify(keys)));
        assert.equal(Object.hasOwn(registrar as object, 'forgotten_at'), false);
      }),
    );
  });

  describe('of a newer version, with keys that this one does not know', () => {
    const newer = JSON.stringify({
      registrar: {
        registry: marker.registry,
        project_id: marker.projectId,
        name: 'shop',
        evidence: ['a1'],
        fork: { of: 'x' },
      },
    });
    const otherId = '2f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';
    const keysOf = (comment: string): string[] =>
      Object.keys((JSON.parse(comment) as { registrar: object }).registrar).filter((key) => /evidence|fork/.test(key));

    it('keeps them when the same project is marked again, also under a new name or as forgotten', () => {
      for (const again of [marker, { ...marker, name: 'store' }, { ...marker, forgottenAt: 'now' }])
        assert.deepEqual(keysOf(writeMarker(again, newer)), ['evidence', 'fork']);
    });

    it('keeps them when the project gets another id', () => {
      assert.deepEqual(keysOf(writeMarker({ ...marker, projectId: otherId }, newer, marker.projectId)), [
        'evidence',
        'fork',
      ]);
    });

    it('drops them when another project or registry takes the database', () => {
      assert.deepEqual(keysOf(writeMarker({ ...marker, projectId: otherId }, newer)), []);
      assert.deepEqual(keysOf(writeMarker({ ...marker, registry: 'other' }, newer)), []);
    });
  });

  it('R3: reads an id in any spelling', () => {
    for (const id of [marker.projectId.toUpperCase(), marker.projectId.replaceAll('-', '')]) {
      const reading = readMarker(JSON.stringify({ registrar: { registry: 'r', project_id: id } }));
      assert.ok(reading.kind === 'marker');
      assert.equal(reading.marker.projectId, marker.projectId);
    }
  });

  const none = [
    null,
    '',
    'a note',
    '{',
    '[]',
    'null',
    '{}',
    '{"registrar":null}',
    '{"registrar":[]}',
    '{"registrar":"shop"}',
    '{"registrar":{}}',
    '{"registrar":{"registry":"r"}}',
    '{"registrar":{"registry":"r","project_id":"shop"}}',
    `{"registrar":{"registry":5,"project_id":"${marker.projectId}"}}`,
    `{"registrar":{"project_id":"${marker.projectId}"}}`,
    `[{"registrar":{"registry":"r","project_id":"${marker.projectId}"}}]`,
  ];
  for (const comment of none) {
    it(`is not what ${JSON.stringify(comment)} says`, () => {
      assert.deepEqual(readMarker(comment), { kind: 'none' });
    });
  }

  it('never throws on a comment', () => {
    const shaped = fc.record({ registrar: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())) });
    const comments = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      shaped.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(comments, (comment) => {
        assert.match(readMarker(comment).kind, /^(?:none|marker)$/);
      }),
    );
  });
});
