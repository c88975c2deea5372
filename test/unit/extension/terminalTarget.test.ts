import assert from 'node:assert/strict';
import { terminalRefusal, terminalTarget } from '../../../extension/terminalTarget.ts';
import { resolved, shop } from '../cli/fakeCli.ts';
import { folder, resolutions, windowOn } from './windowStates.ts';

describe('the database of new terminals', () => {
  const state = windowOn(resolved);
  const key = (project: Partial<typeof shop>): string | undefined => {
    const target = terminalTarget(windowOn({ ...resolved, project: { ...shop, ...project } }), true);
    return target === null || target === 'unknown' ? undefined : target.key;
  };

  it('is that of the one folder’s project', () => {
    const target = terminalTarget(state, true);
    assert.ok(target !== null && target !== 'unknown');
    assert.equal(target.folder, folder);
    assert.equal(target.project, 'shop');
  });

  it('is asked for anew when the project has another', () => {
    assert.equal(key({ description: 'sells things' }), key({}));
    assert.notEqual(key({ databaseName: 'cb_proj_shop_00000001' }), key({}));
  });

  it('is asked for anew when the registry falls silent and when it is back: only the database itself can say then', () => {
    const target = terminalTarget(windowOn({ ...resolved, stale: true }), true);
    assert.ok(target !== null && target !== 'unknown');
    assert.notEqual(target.key, key({}));
  });

  it('stays while nobody has looked', () => {
    assert.equal(terminalTarget(windowOn(null), true), 'unknown');
    assert.equal(terminalTarget({ ...state, snapshot: null }, true), 'unknown');
  });

  it('is nobody’s without the setting, trust, a project whose database is there, or one single folder', () => {
    assert.equal(terminalTarget(state, false), null);
    assert.equal(terminalTarget({ ...state, isTrusted: false }, true), null);
    assert.equal(terminalTarget(windowOn(resolutions.conflict), true), null);
    const unmade = { ...resolved, wouldDo: ['create database cb_proj_shop_1f2e3d4c'] };
    assert.equal(terminalTarget(windowOn(unmade), true), null);
    assert.equal(terminalTarget({ ...state, folders: [folder, { name: 'pay', path: '/home/a/pay' }] }, true), null);
  });

  it('is refused with the folder, and not where there is no project or no setting', () => {
    const vanished = windowOn(resolutions.vanished);
    assert.equal(terminalRefusal(vanished, true)?.error.code, 'DATABASE_MISSING');
    assert.equal(terminalRefusal(vanished, false), null);
    assert.equal(terminalRefusal({ ...vanished, isTrusted: false }, true), null);
    assert.equal(terminalRefusal(windowOn(resolutions.noProject), true), null);
    assert.equal(terminalRefusal(state, true), null);
  });
});
