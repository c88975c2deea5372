import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KnownProjects } from '../../../daemon/stateFolder/knownProjects.ts';
import type { RegistryRow } from '../../../daemon/registry/model.ts';

describe('the projects that are known', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-known-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function open(): Promise<KnownProjects> {
    const fail = (error: unknown): void => {
      assert.fail(String(error));
    };
    return KnownProjects.open(join(folder, 'known.json'), 'here', () => new Date(), fail);
  }

  it('are at most a thousand, the newest, however many the file holds', async () => {
    const projects = Array.from({ length: 1500 }, (_, index) => {
      const { registrar, ...row } = rowNumber(index);
      return { at: '2026-01-01T00:00:00.000Z', folders: [], row: { ...row, metadata: { registrar } } };
    });
    await writeFile(join(folder, 'known.json'), JSON.stringify({ version: 1, registry: 'here', projects }));
    const known = await open();
    assert.equal(known.ids().length, 1000);
    assert.equal(known.recall({ id: idOf(499), name: null }, null), null);
    assert.equal(known.recall({ id: idOf(500), name: null }, null)?.row.name, 'project 500');
    await known.close();
  });

  it('count by their own id before a former one', async () => {
    const known = await open();
    const reKeyed = rowNumber(2);
    known.remember({ ...reKeyed, registrar: { ...reKeyed.registrar, formerIds: [idOf(1)] } }, null);
    assert.equal(known.recall({ id: idOf(1), name: null }, null)?.row.name, 'project 2');
    known.remember(rowNumber(1), null);
    assert.equal(known.recall({ id: idOf(1), name: null }, null)?.row.name, 'project 1');
    await known.close();
  });
});

function idOf(index: number): string {
  return `${index.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

function rowNumber(index: number): RegistryRow {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    id: idOf(index),
    name: `project ${index}`,
    databaseName: `cb_proj_project_${index.toString(16).padStart(8, '0')}`,
    description: null,
    createdAt: at,
    updatedAt: at,
    metadata: {},
    registrar: { state: 'ready' },
  };
}
