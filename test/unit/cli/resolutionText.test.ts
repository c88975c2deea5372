import assert from 'node:assert/strict';
import { errorText, resolutionText } from '../../../daemon/cli/resolutionText.ts';
import { plain } from '../../../daemon/cli/terminalText.ts';
import type { TextView } from '../../../daemon/cli/terminalText.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { refused, resolved } from './fakeCli.ts';

const now = new Date(2026, 10, 3, 14, 3);
const view: TextView = { home: '/home/a', now, paint: plain };
const atTwo = new Date(2026, 10, 3, 14, 2).toISOString();
const traceLines = [
  '  explicit  skipped  no --project',
  '  config    matched  .codebase-mcp/config.json   0.9 ms',
  '  identity  agrees',
];

const conflict = {
  code: 'PROJECT_CONFLICT',
  message: '"shop" belongs to git.example/acme/shop; this folder has no origin. Nothing was read or made.',
  hint: 'registrar init shop-2 --local (a database of its own, no file changes) | registrar use shop (share its database, asks you)',
} as const;

describe('resolutionText', () => {
  const states: { state: string; resolution: Resolution; lines: string[] }[] = [
    {
      state: 'normal',
      resolution: resolved,
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on localhost:5432   ready, registered',
        ...traceLines,
        'next: registrar exec -- npm run migrate',
      ],
    },
    {
      state: 'pending',
      resolution: {
        ...resolved,
        sync: {
          state: 'pending',
          since: atTwo,
          error: {
            code: '53100',
            message: 'registry disk full (53100)',
            nextAttemptAt: new Date(now.getTime() + 20_000).toISOString(),
          },
        },
        warnings: [{ code: 'PENDING', message: 'registry disk full (53100); saved', hint: 'Nothing to do.' }],
      },
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on localhost:5432   ready, not registered yet',
        ...traceLines,
        '  warning: registry disk full (53100); saved on this machine, next try in 20 s',
      ],
    },
    {
      state: 'parked',
      resolution: {
        ...resolved,
        sync: { state: 'parked', error: { code: '23505', message: 'the name "shop" is taken' } },
        warnings: [
          {
            code: 'PARKED',
            message: 'the name "shop" is taken',
            hint: 'registrar use shop | registrar projects rename 1f2e3d4c NAME',
          },
        ],
      },
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on localhost:5432   ready, needs you',
        ...traceLines,
        '  warning: the name "shop" is taken',
        '  next: registrar use shop',
        '  or:   registrar projects rename 1f2e3d4c NAME',
      ],
    },
    {
      state: 'stale',
      resolution: {
        ...resolved,
        stale: true,
        sync: { state: 'synced', since: atTwo },
        server: { address: 'db.acme:5432', source: 'file' },
        trace: [],
        warnings: [
          {
            code: 'STALE',
            message: 'db.acme:5432 does not answer (timeout 1 s); queries will fail',
            hint: 'registrar postgres show',
          },
        ],
      },
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on db.acme:5432   last known 14:02',
        '  warning: db.acme:5432 does not answer (timeout 1 s); queries will fail',
      ],
    },
    {
      state: 'conflict',
      resolution: refused(conflict),
      lines: [
        'PROJECT_CONFLICT: "shop" belongs to git.example/acme/shop; this folder has no origin. Nothing was read or made.',
        '  a database of its own, no file changes: registrar init shop-2 --local',
        '  share its database, asks you:           registrar use shop',
      ],
    },
    {
      state: 'conflict that the config settles',
      resolution: refused({
        code: 'PROJECT_CONFLICT',
        message: '"shop" belongs to /home/a/old/shop, a different repository. Nothing was created.',
        hint: 'registrar use shop (share it), or change project.name',
      }),
      lines: [
        'PROJECT_CONFLICT: "shop" belongs to ~/old/shop, a different repository. Nothing was created.',
        '  next: registrar use shop (share it), or change project.name',
      ],
    },
    {
      state: 'untrusted',
      resolution: refused({
        code: 'CONFIG_NOT_TRUSTED',
        message: 'VS Code has this folder in Restricted Mode. Nothing was created.',
        hint: 'trust the folder in VS Code',
      }),
      lines: [
        'CONFIG_NOT_TRUSTED: VS Code has this folder in Restricted Mode. Nothing was created.',
        '  next: trust the folder in VS Code',
      ],
    },
    {
      state: 'no config',
      resolution: {
        ...refused({
          code: 'UNRESOLVED',
          message: 'no .codebase-mcp/config.json from /home/a/x up to the repository root /home/a/x',
          hint: 'registrar init NAME | registrar use PROJECT',
        }),
        outcome: 'unresolved',
        trace: [
          { tier: 1, name: 'explicit', outcome: 'skipped', reason: 'no project given', durationMs: 0 },
          {
            tier: 2,
            name: 'config',
            outcome: 'missed',
            reason: 'no .codebase-mcp/config.json from /home/a/x up to the repository root /home/a/x',
            durationMs: 0.3,
          },
          { tier: 3, name: 'workflow', outcome: 'failed', reason: 'HTTP 500', durationMs: 1234 },
        ],
      },
      lines: [
        'UNRESOLVED: no .codebase-mcp/config.json from ~/x up to the repository root ~/x',
        '  explicit  skipped  no --project',
        '  config    missed   see above   0.3 ms',
        '  workflow  failed   HTTP 500   1.2 s',
        '  next: registrar init NAME',
        '  or:   registrar use PROJECT',
      ],
    },
    {
      state: 'just made, with a warning',
      resolution: {
        ...resolved,
        created: true,
        trace: [],
        warnings: [{ code: 'ID_NOT_WRITTEN', message: 'the config is read-only', hint: 'Write the id by hand.' }],
      },
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on localhost:5432   created, registered',
        '  warning: the config is read-only',
        '  next: Write the id by hand.',
      ],
    },
    {
      state: 'dry run of what is not there yet',
      resolution: {
        ...resolved,
        outcome: 'unresolved',
        project: null,
        sync: null,
        trace: [],
        wouldDo: ['reserve "shop"', 'create database cb_proj_shop_1f2e3d4c'],
      },
      lines: [
        'dry run, nothing was changed',
        '  would: reserve "shop"',
        '  would: create database cb_proj_shop_1f2e3d4c',
        'next: the same without --dry-run (and without dry_run in the config)',
      ],
    },
    {
      state: 'dry run with nothing left to do',
      resolution: { ...resolved, trace: [], wouldDo: [] },
      lines: [
        'shop → cb_proj_shop_1f2e3d4c on localhost:5432   ready, registered',
        'next: registrar exec -- npm run migrate',
      ],
    },
  ];
  for (const { state, resolution, lines } of states) {
    it(`says what is so and what to do: ${state}`, () => {
      assert.deepEqual(resolutionText(resolution, view).split('\n'), lines);
    });
  }

  it('names the same selection again in the next step', () => {
    assert.match(resolutionText(resolved, view, ' --project shop'), /next: registrar exec --project shop -- npm run/);
  });

  it('names the folder that was asked about, not the current one, where that has no project', () => {
    const hint = 'registrar init NAME | registrar use PROJECT';
    const nothing = refused({ code: 'UNRESOLVED', message: 'no config', hint });
    assert.match(
      resolutionText(nothing, view, ' --directory ../x'),
      /\n {2}next: registrar init NAME --directory \.\.\/x\n {2}or: {3}registrar use PROJECT --directory \.\.\/x$/,
    );
    assert.match(
      resolutionText(
        refused({ ...conflict, hint: conflict.hint.replace('use shop', 'use -- -x') }),
        view,
        ' --directory x',
      ),
      /: registrar init shop-2 --local --directory x\n.*: +registrar use --directory x -- -x$/,
    );
    const parked = 'registrar use shop | registrar projects rename 1f2e3d4c NAME';
    assert.match(
      resolutionText(refused({ code: 'PROJECT_CONFLICT', message: 'taken', hint: parked }), view, ' --directory x'),
      /next: registrar use shop --directory x\n {2}or: {3}registrar projects rename 1f2e3d4c NAME$/,
    );
  });

  it('shows the date with a time that is not of today, and a try that is due', () => {
    const since = new Date(2026, 10, 1, 9, 5).toISOString();
    const stale = resolutionText({ ...resolved, stale: true, sync: { state: 'synced', since } }, view);
    assert.match(stale, /last known 2026-11-01 09:05\n/);
    const error = { code: '53100', message: 'disk full', nextAttemptAt: now.toISOString() };
    const pending: Resolution = {
      ...resolved,
      sync: { state: 'pending', error },
      warnings: [{ code: 'PENDING', message: '', hint: '' }],
    };
    assert.match(resolutionText(pending, view), /saved on this machine, next try now$/);
  });

  it('colours words, not the whole answer, when it may', () => {
    const marked = resolutionText(refused({ code: 'UNRESOLVED', message: 'm', hint: 'h' }), {
      ...view,
      paint: (style, text) => `<${style}>${text}</${style}>`,
    });
    assert.equal(marked, '<red>UNRESOLVED</red>: m\n  <cyan>next:</cyan> h');
  });
});

describe('errorText', () => {
  it('lets no control character of a file or path reach the terminal', () => {
    const text = errorText(
      { code: 'CONFIG_INVALID', message: 'a\u001b[31mb\u009bc\u007f\u202ed\r\ne', hint: 'h' },
      view,
    );
    assert.equal(text, String.raw`CONFIG_INVALID: a\u001b[31mb\u009bc\u007f\u202ed e` + '\n  next: h');
  });

  it('shortens only the home folder, not names that begin or end like it', () => {
    const message = '/home/a, "/home/a/x" /home/ab /mnt/home/a /home/a-b /home/a.';
    const text = errorText({ code: 'INTERNAL', message, hint: '/home/a' }, view);
    assert.equal(text, 'INTERNAL: ~, "~/x" /home/ab /mnt/home/a /home/a-b /home/a.\n  next: ~');
  });
});
