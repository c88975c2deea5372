import assert from 'node:assert/strict';
import { badgeCount, projectNode, treeNodes, type TreeNode } from '../../../extension/views/treeNodes.ts';
import { welcomeOf } from '../../../extension/views/welcome.ts';
import type { WindowState } from '../../../extension/windowState.ts';
import { shop } from '../cli/fakeCli.ts';
import { folder, resolutions, view, windowOn } from './windowStates.ts';

/** The tree as text, two spaces a level, closed rows opened. */
function drawn(nodes: readonly TreeNode[], indent = ''): string[] {
  return nodes.flatMap(({ label, description, children }) => [
    `${indent}${label}${description === undefined || description === '' ? '' : `  ${description}`}`,
    ...drawn(children ?? [], `${indent}  `),
  ]);
}

function allNodes(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.children ?? [])]);
}

const agents = [
  { name: 'Claude Code', directory: '/home/a/shop', lastSeenAt: '2026-11-03T13:49:48' },
  { name: 'Codex', directory: '/home/a/shop/api', lastSeenAt: '2026-11-03T13:47:00' },
  { name: 'Elsewhere', directory: '/home/a/shop-pay', lastSeenAt: '2026-11-03T13:47:00' },
];

const rowsOf = (state: WindowState): string[] => drawn(treeNodes(state, view));

describe('the tree', () => {
  it('shows a project with its database, its server, why it is this one, and who works there', () => {
    const database = { bytes: 38 * 1_048_576, tables: 14 };
    const folders = [{ path: folder.path, trusted: true, resolution: resolutions.ready, database }];
    assert.deepEqual(rowsOf(windowOn(null, { folders, agents })), [
      'shop  cb_proj_shop_1f2e3d4c · ready',
      '  Server  localhost:5432 (yours) · 38 MB · 14 tables',
      '  Why shop?  the config file says so',
      '    explicit  skipped   no project given',
      '    config  matched   .codebase-mcp/config.json · 0.9 ms',
      '    identity  agrees   the database carries the same id',
      '  Agents here  2',
      '    Claude Code  ~/shop   12 s ago',
      '    Codex  ~/shop/api   3 min ago',
      'All projects  23',
    ]);
  });

  const firstRows: Record<Exclude<keyof typeof resolutions, 'ready' | 'noProject'>, string[]> = {
    pending: ['shop  ready, not registered yet', '  Registry disk full.  Safe on this machine; next try 14:03'],
    parked: ['shop  needs you', '  The name "shop" is taken.  Use that project, rename this one, or give it up'],
    stale: ['shop  last known 14:02', '  db.acme:5432 does not answer; queries will fail.'],
    conflict: [
      'shop  belongs to another repository',
      '  shop is git.example/acme/shop; this folder is git.example/eve/shop. Nothing was read or made.',
    ],
    otherPlace: [
      'shop  belongs to another folder',
      '  "shop" belongs to the root of git.example/acme/shop; this folder is "copy" of it. Nothing was read or made.',
    ],
    withoutOrigin: [
      'shop  belongs to another folder',
      '  "shop" belongs to a folder on this machine; this folder has no origin. Nothing was read or made.',
    ],
    noOriginHere: [
      'shop  belongs to another repository',
      '  shop is git.example/acme/shop; this folder has no origin. Nothing was read or made.',
    ],
    takenOver: [
      'shop  another repository is here now',
      '  This machine binds ~/shop to "shop", but another repository is there now. Nothing was read or made.',
    ],
    contradiction: [
      'shop  id and name disagree',
      `  The config's id is project "shop", its name is project 2f2e3d4c. Neither was touched.`,
    ],
    firstClaim: [
      'shop  cb_proj_shop_1f2e3d4c · ready',
      '  Project "shop" had no folder; ~/shop is its first.  Nothing to do.',
    ],
    notMade: ['shop  not made yet', '  Its database does not exist yet.'],
    unfinished: ['shop  not ready yet', '  Still to do: create database cb_proj_shop_1f2e3d4c again, empty.'],
    configInvalid: [
      'shop  config has an error',
      '  auto_switch must be true or false.  Line 3 of the config. Correct it.',
    ],
    unreachable: [
      'shop  server does not answer',
      '  localhost:5432 does not answer, and this project is not known here.  Start the server.',
    ],
    forgotten: [
      'shop  forgotten',
      '  Project "shop" was forgotten on purpose; its database cb_proj_shop_1f2e3d4c is untouched.',
    ],
    dropped: ['shop  dropped', '  ann dropped shop on 29 Nov, 14:02, from tower. Nothing was made.'],
    vanished: [
      'shop  its database is gone',
      '  cb_proj_shop_1f2e3d4c of project "shop" no longer exists on localhost:5432; its data is lost unless you have a backup. Nothing was made.  Last used on 2 Nov.',
    ],
    renamed: [
      'shop  its database has another name',
      '  Database cb_proj_shop_1f2e3d4c of project "shop" is gone, but shop_old carries its marker.  Set project.database_name to shop_old in the config, or rename the database back.',
    ],
    dropping: [
      'shop  being dropped',
      '  Project "shop" is being dropped.  Wait until that is done; then its name is free.',
    ],
    foreign: [
      'shop  database is not its own',
      '  Database cb_proj_shop_1f2e3d4c is not project "shop"\'s: its marker says project "pay". It was not touched.',
    ],
    recreated: ['shop  cb_proj_shop_1f2e3d4c · ready', '  Its database was gone and was made again.  Nothing to do.'],
  };
  for (const [name, rows] of Object.entries(firstRows)) {
    it(`says what is the matter and what helps: ${name}`, () => {
      const state = windowOn(resolutions[name as keyof typeof firstRows]);
      assert.deepEqual(rowsOf(state).slice(0, 2), rows);
    });
  }

  it('has a click for what its rows advise, and no command to type', () => {
    for (const [name, resolution] of Object.entries(resolutions)) {
      for (const { context, tooltip, label, description, spoken } of allNodes(treeNodes(windowOn(resolution), view))) {
        if (context?.startsWith('trouble.') !== true) continue;
        const said = [label, description, spoken, tooltip].join(' ');
        assert.doesNotMatch(said, /\bregistrar [a-z]/, `${name}: ${said}`);
      }
    }
  });

  it('shows an untrusted folder as restricted, whatever the daemon knows about it', () => {
    for (const snapshot of [null, windowOn(resolutions.ready).snapshot]) {
      const state = { ...windowOn(null), isTrusted: false, snapshot };
      assert.deepEqual(rowsOf(state), ['shop  restricted', '  Nothing is created or written.']);
      assert.equal(badgeCount(state, view), 0);
    }
  });

  it('tells several folders apart, and says what one without a project means', () => {
    const pay = { name: 'pay', path: '/home/a/pay' };
    const none = { path: pay.path, trusted: true, resolution: resolutions.noProject, database: null };
    const copy = { name: 'copy', path: '/home/a/copy' };
    const same = { path: copy.path, trusted: true, resolution: resolutions.ready, database: null };
    const state = { ...windowOn(null, { folders: [none, same] }), folders: [pay, copy] };
    const rows = rowsOf(state);
    assert.deepEqual(rows.slice(0, 2), ['pay  no project', '  Agents get no database here.']);
    assert.ok(rows.includes('shop  copy · cb_proj_shop_1f2e3d4c · ready'));
  });

  it('counts what waits for a person, and not what ends by itself', () => {
    const counts = Object.entries(resolutions).map(([name, answer]) => [name, badgeCount(windowOn(answer), view)]);
    assert.deepEqual(Object.fromEntries(counts), {
      ...Object.fromEntries(counts.map(([name]) => [name, 1])),
      ready: 0,
      pending: 0,
      noProject: 0,
    });
  });

  it('gives every row of every state an id of its own, an icon, and words for a screen reader', () => {
    const states = [
      ...Object.values(resolutions).map((answer) => windowOn(answer, { agents })),
      windowOn(null),
      { ...windowOn(null), isTrusted: false },
    ];
    for (const state of states) {
      const nodes = allNodes(treeNodes(state, view));
      const ids = nodes.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, ids.join());
      assert.equal(ids[0], 'folder:/home/a/shop');
      for (const { id, label, description, icon, spoken } of nodes) {
        assert.match(icon ?? '', /^[a-z~-]+$/, id);
        assert.match(spoken ?? `${label} ${description ?? ''}`.trim(), /^\S.*\S$/, id);
      }
    }
  });

  it('keeps the ids of rows whose words change, and of those beside a row that goes', () => {
    const [warning] = resolutions.recreated.warnings;
    const both = { ...resolutions.pending, warnings: [...resolutions.pending.warnings, ...(warning ? [warning] : [])] };
    const after = { ...resolutions.recreated, stale: false };
    const later = agents.slice(1).map((agent) => ({ ...agent, lastSeenAt: '2026-11-03T13:49:59' }));
    const idsOf = (state: WindowState): string[] => allNodes(treeNodes(state, view)).map(({ id }) => id);
    const before = idsOf(windowOn(both, { agents }));
    const left = idsOf(windowOn(after, { agents: later, projects: 24 }));
    const gone = before.filter((id) => !left.includes(id));
    assert.deepEqual(gone, ['folder:/home/a/shop/pending', 'folder:/home/a/shop/agent:Claude Code:/home/a/shop']);
    assert.deepEqual(
      left,
      before.filter((id) => !gone.includes(id)),
    );
  });

  it('does not let names act as Markdown', () => {
    const project = { ...shop, description: '[click](command:evil) **now**' };
    const [root] = treeNodes(windowOn({ ...resolutions.ready, project }), view);
    assert.ok(root?.tooltip?.includes(String.raw`\[click\]\(command\:evil\)`));
  });

  it('lists a project of the registry with its database, and whether it is registered', () => {
    assert.equal(projectNode(shop).description, 'cb_proj_shop_1f2e3d4c');
    const pending = projectNode({ ...shop, sync: { state: 'pending' } });
    assert.equal(pending.description, 'cb_proj_shop_1f2e3d4c · not registered yet');
  });

  it('lists a project that is being dropped as such, and offers no way into its database', () => {
    const dropping = projectNode({ ...shop, metadata: { registrar: { state: 'dropping' } } });
    assert.equal(dropping.description, 'cb_proj_shop_1f2e3d4c · being dropped');
    assert.deepEqual([dropping.context, dropping.icon], ['project.dropping', 'trash']);
  });
});

describe('the welcome in place of an empty tree', () => {
  const ready = windowOn(resolutions.ready);
  const error = { code: 'POSTGRES_NOT_CHOSEN', message: 'None is chosen.', hint: 'Choose one.' } as const;
  const cases: [string, WindowState][] = [
    ['no-folder', { ...ready, folders: [] }],
    ['starting', { ...ready, snapshot: null }],
    ['no-daemon', { ...ready, snapshot: null, daemonError: { ...error, code: 'DAEMON_UNREACHABLE' } }],
    ['not-chosen', windowOn(null, { server: null, error })],
    ['no-postgres', windowOn(null, { server: null, error: { ...error, code: 'PROVISION_FAILED' } })],
    ['no-project', windowOn(resolutions.noProject)],
    ['none', ready],
    ['none', { ...ready, isTrusted: false, snapshot: null }],
    ['none', { ...windowOn(resolutions.noProject), folders: [folder, { name: 'pay', path: '/home/a/pay' }] }],
  ];
  for (const [welcome, state] of cases) {
    it(`is ${welcome} for ${state.folders.length} folders, trusted ${String(state.isTrusted)}`, () => {
      assert.equal(welcomeOf(state, view), welcome);
    });
  }
});
