import assert from 'node:assert/strict';
import type { UnusedProject } from '../../../daemon/protocol/answers.ts';
import { cli, shop } from './fakeCli.ts';

describe('registrar projects list --unused', () => {
  const project: UnusedProject = {
    ...shop,
    creator: 'a@laptop',
    lastUsedAt: '2026-06-03T09:00:00.000Z',
    sizeBytes: 38 * 1_048_576,
  };
  const bare: UnusedProject = { ...project, creator: null, lastUsedAt: null, sizeBytes: null };

  it('asks for the time in hours, days and weeks', async () => {
    for (const [text, unusedMs] of [
      ['12h', 43_200_000],
      ['60d', 5_184_000_000],
      ['8w', 4_838_400_000],
    ] as const) {
      const run = await cli(['projects', 'list', '--unused', text]);
      assert.deepEqual(run.calls[1], ['unusedProjects', { unusedMs, query: null }]);
      assert.equal(run.stdout, 'Every project has been used since then.\n');
    }
  });

  it('refuses what is no time, and asks nobody', async () => {
    for (const text of ['60', 'd', '0d', '-1d', '1.5d', '60 days', '99999d', '2m']) {
      const run = await cli(['projects', 'list', `--unused=${text}`]);
      assert.equal(run.status, 2, text);
      assert.match(run.stderr, /^INVALID_ARGUMENT: .*It is a time such as 12h, 60d or 8w/);
      assert.deepEqual(run.calls, []);
    }
  });

  it('shows creator, last use and size, and what is not known', async () => {
    const found = { projects: [project, bare], sizesMissing: null };
    const run = await cli(['projects', 'list', '--unused', '60d'], { api: { unusedProjects: async () => found } });
    assert.deepEqual(run.stdout.split('\n'), [
      'name  database               last used   creator    size',
      'shop  cb_proj_shop_1f2e3d4c  2026-06-03  a@laptop   38 MB',
      'shop  cb_proj_shop_1f2e3d4c  not noted   not noted  unknown',
      'keeps the data:    registrar projects forget PROJECT',
      'destroys the data: registrar projects drop PROJECT',
      '',
    ]);
    const json = await cli(['projects', 'list', '--unused', '60d', '--json'], {
      api: { unusedProjects: async () => found },
    });
    assert.deepEqual(JSON.parse(json.stdout), found);
  });

  it('says why there are no sizes', async () => {
    const unusedProjects = async () => ({ projects: [bare], sizesMissing: 'it took too long' });
    const run = await cli(['projects', 'list', '--unused', '60d'], { api: { unusedProjects } });
    assert.match(run.stdout, /warning: sizes could not be read: it took too long\n/);
  });
});
