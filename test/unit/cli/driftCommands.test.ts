import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { DriftReport, RepairResult } from '../../../daemon/protocol/drift.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, path, shop } from './fakeCli.ts';

const project = { id: shop.id, name: 'shop' };
const database = shop.databaseName;

const report: DriftReport = {
  planId: '1f2e3d4c5b6a7988',
  ok: false,
  findings: [
    {
      kind: 'marker-missing',
      project,
      database,
      message: `Database ${database} carries no marker.`,
      risk: 'It would not be found.',
      actions: [
        { action: 'restore-marker', description: `mark ${database}`, automatic: true },
        { action: 'forget', description: 'forget it', automatic: false },
      ],
    },
  ],
};

const planned = {
  kind: 'marker-missing',
  project,
  database,
  action: 'restore-marker',
  description: `mark ${database}`,
} as const;

describe('registrar drift and repair', () => {
  it('drift says that everything agrees and ends with 0', async () => {
    const run = await cli(['drift']);
    assert.equal(run.status, 0);
    assert.equal(run.stdout, 'drift: everything agrees\n');
    assert.deepEqual(path(run), ['open', 'drift', 'close']);
  });

  it('drift shows each finding with risk, repairs and choices, and how to apply the plan, and ends with 1', async () => {
    const run = await cli(['drift'], { api: { drift: async () => report } });
    assert.equal(run.status, 1);
    assert.deepEqual(run.stdout.split('\n'), [
      'drift: plan 1f2e3d4c5b6a7988',
      '  marker-missing  shop  cb_proj_shop_1f2e3d4c',
      '    Database cb_proj_shop_1f2e3d4c carries no marker.',
      '    risk: It would not be found.',
      '    repair: mark cb_proj_shop_1f2e3d4c',
      '    choice: forget it',
      'next: registrar repair --apply 1f2e3d4c5b6a7988',
      '',
    ]);
    const json = await cli(['drift', '--json'], { api: { drift: async () => report } });
    assert.deepEqual(JSON.parse(json.stdout), report);
    assert.equal(json.status, 1);
  });

  it('drift offers no plan where only a person can choose, and no trouble where there are only notes', async () => {
    const [finding] = report.findings;
    assert.ok(finding);
    const choices = { ...finding, actions: finding.actions.filter(({ automatic }) => !automatic) };
    const person = await cli(['drift'], { api: { drift: async () => ({ ...report, findings: [choices] }) } });
    assert.doesNotMatch(person.stdout, /--apply/);
    assert.equal(person.status, 1);
    const note = { ...finding, kind: 'folder-gone' as const, actions: [] };
    const notes = await cli(['drift'], { api: { drift: async () => ({ ...report, ok: true, findings: [note] }) } });
    assert.match(notes.stdout, /^drift: everything agrees; worth knowing:\n {2}folder-gone /);
    assert.equal(notes.status, 0);
  });

  it('repair without a plan shows the plan and changes nothing', async () => {
    const run = await cli(['repair'], { api: { drift: async () => report } });
    assert.deepEqual(path(run), ['open', 'drift', 'close']);
    assert.match(run.stdout, /next: registrar repair --apply 1f2e3d4c5b6a7988/);
    assert.equal(run.status, 1);
  });

  it('repair --apply says what was done, skipped and failed, and ends with 1 only when something failed', async () => {
    const result: RepairResult = {
      planId: report.planId,
      applied: [planned],
      skipped: [planned],
      failed: [{ ...planned, error: { code: 'REGISTRY_FORBIDDEN', message: 'Not the owner.', hint: 'Be it.' } }],
    };
    const run = await cli(['repair', '--apply', report.planId], { api: { repair: async () => result } });
    assert.deepEqual(run.calls[1], ['repair', { planId: report.planId }]);
    assert.equal(run.status, 1);
    assert.deepEqual(run.stdout.split('\n'), [
      'repair: 1 done, 1 skipped, 1 failed',
      '  done     mark cb_proj_shop_1f2e3d4c',
      '  skipped  mark cb_proj_shop_1f2e3d4c: it has changed since',
      '  failed   mark cb_proj_shop_1f2e3d4c',
      '    REGISTRY_FORBIDDEN: Not the owner.',
      '      next: Be it.',
      '',
    ]);
    const done = await cli(['repair', '--apply', report.planId], {
      api: { repair: async () => ({ ...result, failed: [] }) },
    });
    assert.equal(done.status, 0);
    const nothing = await cli(['repair', '--apply', report.planId]);
    assert.equal(nothing.stdout, 'repair: nothing that Registrar can do without you\n');
  });

  it('repair with a stale plan is refused', async () => {
    const stale = new RegistrarError({ code: 'PLAN_STALE', message: 'Changed.', hint: 'Look again: registrar drift' });
    const run = await cli(['repair', '--apply', 'x'], { api: { repair: () => Promise.reject(stale) } });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /PLAN_STALE: Changed\.\n {2}next: Look again: registrar drift/);
  });

  for (const command of [['drift'], ['repair'], ['projects', 'drop']]) {
    it(`${command.join(' ')} --help has an example`, async () => {
      const run = await cli([...command, '--help']);
      assert.equal(run.status, 0);
      assert.match(run.stdout, new RegExp(`Usage: registrar ${command.join(' ')}`));
      assert.match(run.stdout, /Example:\n {2}\$ /);
    });
  }
});

describe('registrar projects drop', () => {
  const typing = (text: string) => Object.assign(new PassThrough().end(text), { isTTY: true });

  it('passes on what --confirm says and asks nothing', async () => {
    const run = await cli(['projects', 'drop', 'shop', '--confirm', database]);
    assert.deepEqual(run.calls.slice(1), [['dropProject', { project: 'shop', confirm: database }], ['close']]);
    assert.equal(run.stdout, `shop is dropped. Its database ${database} is gone.\n`);
    assert.equal(run.status, 0);
  });

  it('asks on a terminal for the name of the database, and drops the project that the question was about', async () => {
    const run = await cli(['projects', 'drop', 'shop'], { context: { stdin: typing(`${database}\n`) } });
    assert.match(run.stderr, new RegExp(`Dropping shop destroys database ${database} with everything in it`));
    assert.deepEqual(run.calls.slice(1), [
      ['showProject', { project: 'shop' }],
      ['dropProject', { project: shop.id, confirm: database }],
      ['close'],
    ]);
  });

  for (const [what, context] of [
    ['without a terminal', {}],
    ['when nothing is typed', { stdin: typing('\n') }],
    ['when the input ends', { stdin: typing('') }],
  ] as const) {
    it(`confirms nothing ${what}`, async () => {
      const run = await cli(['projects', 'drop', 'shop'], { context, stdin: `${database}\n` });
      assert.deepEqual(run.calls[2], ['dropProject', { project: shop.id, confirm: null }]);
    });
  }
});

describe('registrar projects list', () => {
  it('says of a project whose drop was begun that it is being dropped', async () => {
    const dropping = { ...shop, metadata: { registrar: { state: 'dropping' } } };
    const api = { listProjects: async () => ({ projects: [dropping], nextCursor: null }) };
    const run = await cli(['projects', 'list'], { api });
    assert.match(run.stdout, /shop .* being dropped /);
  });
});

describe('registrar projects remake', () => {
  const typing = (text: string) => Object.assign(new PassThrough().end(text), { isTTY: true });

  it('passes on what --confirm says and asks nothing', async () => {
    const run = await cli(['projects', 'remake', 'shop', '--confirm', database]);
    assert.deepEqual(run.calls.slice(1), [['remakeProject', { project: 'shop', confirm: database }], ['close']]);
    assert.equal(run.status, 0);
  });

  it('asks on a terminal for the name of the database that is made again, empty', async () => {
    const run = await cli(['projects', 'remake', 'shop'], { context: { stdin: typing(`${database}\n`) } });
    assert.match(run.stderr, new RegExp(`creates database ${database} of shop again, empty`));
    assert.deepEqual(run.calls.slice(2, 3), [['remakeProject', { project: shop.id, confirm: database }]]);
  });

  it('confirms nothing without a terminal', async () => {
    const run = await cli(['projects', 'remake', 'shop'], { stdin: `${database}\n` });
    assert.deepEqual(run.calls[2], ['remakeProject', { project: shop.id, confirm: null }]);
  });
});
