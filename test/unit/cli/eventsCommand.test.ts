import assert from 'node:assert/strict';
import type { ListedEvent } from '../../../daemon/protocol/answers.ts';
import { cli, daemonStatus } from './fakeCli.ts';

describe('registrar events', () => {
  const dropped: ListedEvent = {
    at: '2026-06-03T09:00:00.000Z',
    operation: 'dropped',
    actor: 'team_ann',
    by: 'ann@tower',
    host: 'tower',
    project: { id: '1f2e3d4c-0000-4000-8000-000000000000', name: 'shop' },
    databaseName: 'cb_proj_shop_1f2e3d4c',
    details: { bytes: 38 * 1_048_576, tables: 14 },
  };
  const handed: ListedEvent = { ...dropped, operation: 'handed_over', by: null, details: {} };

  it('asks for a week of all projects, or for what was said', async () => {
    assert.deepEqual((await cli(['events'])).calls[1], ['listEvents', { project: null, sinceMs: 604_800_000 }]);
    const run = await cli(['events', '--project', 'shop', '--since', '12h']);
    assert.deepEqual(run.calls[1], ['listEvents', { project: 'shop', sinceMs: 43_200_000 }]);
    assert.equal(run.stdout, 'No events within that time.\n');
    assert.equal((await cli(['events', '--since', 'monday'])).status, 2);
  });

  it('shows who did what, aligned, and what a drop destroyed', async () => {
    const found = { events: [dropped, handed], truncated: true, missing: null };
    const run = await cli(['events'], { api: { listEvents: async () => found } });
    const [heading = '', first = '', second = '', note] = run.stdout.split('\n');
    assert.match(heading, /^when +what +project +who +from +destroyed$/);
    assert.match(first, /^\d{4}-\d\d-\d\d \d\d:\d\d +dropped +shop +ann +tower +38 MB, 14 tables$/);
    assert.match(second, / handed over +shop +team_ann +tower$/);
    assert.equal(first.indexOf('shop'), heading.indexOf('project'));
    assert.equal(note, 'older events are not shown: ask for a shorter time, or for one project');
    const json = await cli(['events', '--json'], { api: { listEvents: async () => found } });
    assert.deepEqual(JSON.parse(json.stdout), found);
  });

  it('shows texts of rows escaped, and why no events are kept', async () => {
    const evil = { ...handed, by: 'a\u001b[31m@x', host: 'x\ny', project: { ...handed.project, name: 'sh\u202eop' } };
    const found = { events: [evil], truncated: false, missing: 'role ann may not read the table registrar_events' };
    const run = await cli(['events'], { api: { listEvents: async () => found } });
    assert.doesNotMatch(run.stdout, /\u001b|\u202e/);
    assert.equal(run.stdout.split('\n').length, 4, run.stdout);
    assert.match(run.stdout, /warning: events are not kept: role ann may not read the table/);
  });

  it('has its trouble said by status, with the statement that helps', async () => {
    const events = {
      reason: 'role ann may not write into the table registrar_events',
      hint: 'As its owner: GRANT SELECT ON x TO ann;',
    };
    const run = await cli(['status'], { daemon: { status: async () => ({ ...daemonStatus, events }) } });
    assert.ok(run.stdout.includes(`events: not kept, ${events.reason}\n  next: ${events.hint}\n`), run.stdout);
    for (const none of [{}, { events: null }]) {
      const quiet = await cli(['status'], { daemon: { status: async () => ({ ...daemonStatus, ...none }) } });
      assert.ok(!quiet.stdout.includes('events:'));
    }
  });
});
