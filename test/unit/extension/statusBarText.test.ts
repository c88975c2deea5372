import assert from 'node:assert/strict';
import { statusBarText } from '../../../extension/views/statusBarText.ts';
import type { WindowState } from '../../../extension/windowState.ts';
import { shop } from '../cli/fakeCli.ts';
import { folder, resolutions, view, windowOn } from './windowStates.ts';

const textOf = (state: WindowState, path: string | null = null): string | null =>
  statusBarText(state, path, view)?.text ?? null;

describe('the status bar item', () => {
  const texts: Record<keyof typeof resolutions, string | null> = {
    ready: '$(database) shop',
    pending: '$(database) shop $(sync)',
    parked: '$(warning) shop: needs you',
    stale: '$(database) shop (offline)',
    conflict: '$(error) shop: conflict',
    otherPlace: '$(error) shop: conflict',
    withoutOrigin: '$(error) shop: conflict',
    noOriginHere: '$(error) shop: conflict',
    takenOver: '$(error) shop: conflict',
    contradiction: '$(error) shop: conflict',
    firstClaim: '$(database) shop',
    noProject: null,
    notMade: '$(circle-outline) shop: not made yet',
    unfinished: '$(circle-outline) shop: not ready yet',
    configInvalid: '$(error) shop: config has an error',
    unreachable: '$(debug-disconnect) shop (offline)',
    forgotten: '$(error) shop: forgotten',
    dropped: '$(error) shop: dropped',
    vanished: '$(error) shop: its database is gone',
    renamed: '$(error) shop: its database has another name',
    dropping: '$(error) shop: being dropped',
    foreign: '$(error) shop: database is not its own',
    recreated: '$(database) shop',
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`says in the state ${name}: ${text ?? 'nothing'}`, () => {
      assert.equal(textOf(windowOn(resolutions[name as keyof typeof resolutions])), text);
    });
  }

  it('says that a folder is restricted, that no PostgreSQL is chosen, and that there is no daemon', () => {
    const state = windowOn(resolutions.ready);
    const error = { code: 'POSTGRES_NOT_CHOSEN', message: 'None is chosen.', hint: 'Choose one.' } as const;
    assert.equal(textOf({ ...state, isTrusted: false, snapshot: null }), '$(shield) restricted');
    assert.equal(textOf(windowOn(null, { server: null, error })), '$(plug) Registrar: choose PostgreSQL');
    assert.equal(textOf({ ...state, daemonError: error }), '$(error) Registrar');
    assert.equal(textOf({ ...state, folders: [] }), null);
  });

  it('is about the folder that somebody works in, else the first', () => {
    const pay = { name: 'pay', path: '/home/a/pay' };
    const project = { ...shop, name: 'pay' };
    const folders = [
      { path: folder.path, trusted: true, resolution: resolutions.ready, database: null },
      { path: pay.path, trusted: true, resolution: { ...resolutions.ready, project }, database: null },
    ];
    const state = { ...windowOn(null, { folders }), folders: [folder, pay] };
    assert.equal(textOf(state, pay.path), '$(database) pay');
    assert.equal(textOf(state, '/elsewhere'), '$(database) shop');
  });

  it('is coloured as an error only while work is blocked', () => {
    const severity = (name: keyof typeof resolutions): unknown =>
      statusBarText(windowOn(resolutions[name]), null, view)?.severity;
    assert.equal(severity('ready'), 'none');
    assert.equal(severity('pending'), 'none');
    assert.equal(severity('stale'), 'warning');
    assert.equal(severity('conflict'), 'error');
  });
});
