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
  conflict: refused({
    code: 'PROJECT_CONFLICT',
    message:
      '"shop" belongs to /home/a/old/shop, a different folder or repository (asked from /home/a/shop). Nothing was created.',
    hint: 'registrar use shop (share it), or change project.name',
    details: {
      name: 'shop',
      project: { id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'shop' },
      folders: [
        { host: 'here', path: '/home/a/old/shop' },
        { host: 'here', path: '/home/a/shop' },
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
  recreated: { ...resolved, warnings: [warning('DATABASE_RECREATED', 'its database was gone and was made again')] },
} satisfies Record<string, Resolution>;
