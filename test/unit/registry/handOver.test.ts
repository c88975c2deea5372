import assert from 'node:assert/strict';
import type { Project } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { requireOwnWord } from '../../../daemon/registry/handOver.ts';
import { writeMarker } from '../../../daemon/registry/marker.ts';

const id = '1f2e3d4c-0000-4000-8000-000000000001';
const former = '1f2e3d4c-0000-4000-8000-000000000002';
const project: Project = {
  id,
  name: 'shop',
  databaseName: 'cb_proj_shop_1f2e3d4c',
  description: null,
  createdAt: '2026-11-03T09:00:00.000Z',
  updatedAt: '2026-11-03T09:00:00.000Z',
  metadata: { registrar: { formerIds: [former] } },
};

function marked(parts: { registry?: string; projectId?: string; forgottenAt?: string }): string {
  const marker = { registry: 'registry', projectId: id, name: 'shop', createdAt: '', schemaVersion: null };
  return writeMarker({ ...marker, forgottenAt: null, ...parts }, null);
}

/** What became of a hand-over: `given`, or the code of its refusal. */
function outcome(comment: string | null, databaseName = project.databaseName): string {
  try {
    requireOwnWord(project, 'registry', { databaseName, comment });
    return 'given';
  } catch (error) {
    assert.ok(error instanceof RegistrarError);
    assert.notEqual(error.hint, '');
    return error.code;
  }
}

describe('a database that is to be handed over', () => {
  for (const { title, comment, code, databaseName } of [
    { title: 'is, when its marker names registry and project', comment: marked({}), code: 'given' },
    { title: 'is not without a marker', comment: null, code: 'MARKER_MISSING' },
    { title: 'is not for a comment that a person wrote', comment: 'the shop', code: 'MARKER_MISSING' },
    {
      title: 'is not for a former id: a dump restored it',
      comment: marked({ projectId: former }),
      code: 'MARKER_MISSING',
    },
    {
      title: 'is not another project’s',
      comment: marked({ projectId: '1f2e3d4c-0000-4000-8000-00000000000f' }),
      code: 'DATABASE_FOREIGN',
    },
    { title: 'is not another registry’s', comment: marked({ registry: 'other' }), code: 'DATABASE_FOREIGN' },
    {
      title: 'is not, when its project was forgotten',
      comment: marked({ forgottenAt: '2026-11-03T09:00:00.000Z' }),
      code: 'PROJECT_FORGOTTEN',
    },
    {
      title: 'is not, when a pooler gives another one under its name',
      comment: marked({}),
      code: 'DATABASE_FOREIGN',
      databaseName: 'cb_proj_other_00000000',
    },
  ]) {
    it(title, () => {
      assert.equal(outcome(comment, databaseName), code);
    });
  }
});
