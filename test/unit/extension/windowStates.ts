import type { FolderState, Snapshot } from '../../../daemon/protocol/control.ts';
import type { Resolution, Warning } from '../../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import type { WindowState } from '../../../extension/windowState.ts';
import { emptySync, refused, resolved } from '../cli/fakeCli.ts';

export const view = { home: '/home/a', now: new Date('2026-11-03T13:50:00'), filter: '' };

export const folder = { name: 'shop', path: '/home/a/shop' };

/** A trusted window on one folder that resolves to this. */
export function windowOn(resolution: Resolution | null, change: Partial<Snapshot> = {}): WindowState {
  const state: FolderState = { path: folder.path, trusted: true, resolution, database: null };
  const snapshot: Snapshot = {
    revision: 1,
    daemon: { version: '1.0.0', pid: 1, started: '2026-11-03T09:00:00.000Z' },
    server: { address: 'localhost:5432', source: 'file' },
    error: null,
    folders: [state],
    projects: 23,
    sync: emptySync,
    agents: [],
    mcp: { url: 'http://127.0.0.1:4711/mcp', tools: 'standard', rotations: 0 },
    ...change,
  };
  return { folders: [folder], isTrusted: true, snapshot, daemonError: null, progress: null };
}

export const unresolvedError: ErrorReport = {
  code: 'UNRESOLVED',
  message: 'no .codebase-mcp/config.json from /home/a/shop up to the repository root /home/a/shop',
  hint: 'registrar projects create NAME --directory . | registrar use PROJECT',
};

const warning = (code: Warning['code'], message: string): Warning => ({ code, message, hint: 'Nothing to do.' });

const conflictDetails = {
  name: 'shop',
  project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
  origin: 'git.example/acme/shop',
  folder: '/home/a/shop',
  folderOrigin: 'git.example/eve/shop',
  proposal: 'shop-eve',
  choices: ['init', 'use', 'rename'],
};

const conflictError: ErrorReport = {
  code: 'PROJECT_CONFLICT',
  message: '"shop" belongs to git.example/acme/shop; this folder is git.example/eve/shop. Nothing was read or made.',
  hint: 'registrar init shop-eve --local (a database of its own, no file changes) | registrar use shop (share its database)',
  details: conflictDetails,
};

/** Every situation of a folder, by the name that people have for it. */
export const resolutions = {
  ready: resolved,
  pending: {
    ...resolved,
    sync: {
      state: 'pending',
      since: '2026-11-03T13:40:00',
      error: { code: '53100', message: 'registry disk full', nextAttemptAt: '2026-11-03T14:03:00' },
    },
    warnings: [warning('PENDING', 'registry disk full; saved on this machine, tried again until it is registered')],
  },
  parked: {
    ...resolved,
    sync: { state: 'parked', error: { code: '23505', message: 'the name "shop" is taken' } },
    warnings: [warning('PARKED', 'the name "shop" is taken')],
  },
  stale: {
    ...resolved,
    server: { address: 'db.acme:5432', source: 'file' },
    stale: true,
    sync: { state: 'synced', since: '2026-11-03T14:02:00' },
    warnings: [warning('STALE', 'db.acme:5432 does not answer; queries will fail (timeout 1 s)')],
  },
  conflict: refused(conflictError),
  otherPlace: refused({
    ...conflictError,
    message:
      '"shop" belongs to the root of git.example/acme/shop; this folder is "copy" of it. Nothing was read or made.',
    details: { ...conflictDetails, folderOrigin: 'git.example/acme/shop' },
  }),
  withoutOrigin: refused({
    ...conflictError,
    message: '"shop" belongs to a folder on this machine; this folder has no origin. Nothing was read or made.',
    details: { ...conflictDetails, origin: null, folderOrigin: null },
  }),
  noOriginHere: refused({
    ...conflictError,
    message: '"shop" belongs to git.example/acme/shop; this folder has no origin. Nothing was read or made.',
    details: { ...conflictDetails, folderOrigin: null },
  }),
  takenOver: refused({
    code: 'PROJECT_CONFLICT',
    message:
      'This machine binds /home/a/shop to "shop", but another repository is there now. Nothing was read or made.',
    hint: 'registrar use shop --local (bind it again) | registrar use --local --remove',
    details: { name: 'shop', folder: '/home/a/shop', choices: ['use', 'remove'] },
  }),
  contradiction: refused({
    code: 'PROJECT_CONFLICT',
    message: `The config's id is project "shop", its name is project 2f2e3d4c. Neither was touched.`,
    hint: 'registrar use shop or registrar use pay, or change project.name',
    details: {
      name: 'shop',
      projects: [
        { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
        { id: '2f2e3d4c-0000-4000-8000-000000000002', name: 'pay' },
      ],
      choices: ['use', 'rename'],
    },
  }),
  noProject: { ...refused(unresolvedError), outcome: 'unresolved' },
  notMade: { ...resolved, outcome: 'unresolved', project: null, wouldDo: ['create database cb_proj_shop_1f2e3d4c'] },
  unfinished: { ...resolved, wouldDo: ['create database cb_proj_shop_1f2e3d4c again, empty'] },
  configInvalid: refused({
    code: 'CONFIG_INVALID',
    message: '/home/a/shop/.codebase-mcp/config.json:3:24 auto_switch must be true or false',
    hint: 'Correct it.',
  }),
  unreachable: refused({
    code: 'REGISTRY_UNREACHABLE',
    message: 'localhost:5432 does not answer, and this project is not known here.',
    hint: 'Start the server.',
  }),
  forgotten: refused({
    code: 'PROJECT_FORGOTTEN',
    message: 'Project "shop" was forgotten on purpose; its database cb_proj_shop_1f2e3d4c is untouched.',
    hint: 'registrar projects adopt cb_proj_shop_1f2e3d4c brings it back',
    details: { name: 'shop', database: 'cb_proj_shop_1f2e3d4c', choices: ['adopt', 'rename'] },
  }),
  dropped: refused({
    code: 'PROJECT_DROPPED',
    message: 'ann dropped shop on 29 Nov, 14:02, from tower. Nothing was made.',
    hint: 'registrar projects create shop --directory . (a new, empty one), or registrar use PROJECT',
    details: {
      name: 'shop',
      project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
      database: 'cb_proj_shop_1f2e3d4c',
      choices: ['create', 'use'],
    },
  }),
  vanished: refused({
    code: 'DATABASE_MISSING',
    message:
      'cb_proj_shop_1f2e3d4c of project "shop" no longer exists on localhost:5432; its data is lost unless you have a backup. Nothing was made.',
    hint: 'registrar projects remake shop makes it again, empty; or restore it from a backup.',
    details: {
      project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
      database: 'cb_proj_shop_1f2e3d4c',
      lastUsedAt: '2026-11-02T09:00:00.000Z',
      choices: ['remake'],
    },
  }),
  renamed: refused({
    code: 'DATABASE_MISSING',
    message: 'Database cb_proj_shop_1f2e3d4c of project "shop" is gone, but shop_old carries its marker.',
    hint: 'Set project.database_name to shop_old in the config, or rename the database back.',
    details: {
      project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
      database: 'cb_proj_shop_1f2e3d4c',
      found: 'shop_old',
      choices: ['repoint'],
    },
  }),
  dropping: refused({
    code: 'PROJECT_FORGOTTEN',
    message: 'Project "shop" is being dropped.',
    hint: 'Wait until that is done; then its name is free.',
    details: { name: 'shop', database: 'cb_proj_shop_1f2e3d4c', state: 'dropping' },
  }),
  foreign: refused({
    code: 'DATABASE_FOREIGN',
    message:
      'Database cb_proj_shop_1f2e3d4c is not project "shop"\'s: its marker says project "pay". It was not touched.',
    hint: 'Correct project.database_name or the registry entry; registrar projects adopt DATABASE registers an unowned database.',
    details: {
      project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
      database: 'cb_proj_shop_1f2e3d4c',
    },
  }),
  firstClaim: {
    ...resolved,
    warnings: [warning('FIRST_CLAIM', 'Project "shop" had no folder; /home/a/shop is its first.')],
  },
  recreated: { ...resolved, warnings: [warning('DATABASE_RECREATED', 'its database was gone and was made again')] },
} satisfies Record<string, Resolution>;
