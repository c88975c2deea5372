import assert from 'node:assert/strict';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import { folderVerdict } from '../../../extension/views/folderVerdict.ts';
import { leftBehindDocument } from '../../../extension/views/leftBehindDocument.ts';
import { missingPassword } from '../../../extension/views/missingPassword.ts';
import { welcomeOf } from '../../../extension/views/welcome.ts';
import { refused } from '../cli/fakeCli.ts';
import { folder, view, windowOn } from './windowStates.ts';

const mismatch: ErrorReport = {
  code: 'ADDRESS_MISMATCH',
  message: 'The daemon serves a:5432/r, and the setting names b:5432/r. Nothing was done.',
  hint: 'Leave the setting out.',
};
const noPassword: ErrorReport = {
  code: 'CREDENTIALS_REQUIRED',
  message: 'a:5432 asks for the password',
  hint: 'Give it.',
};

describe('a window that means another server than the daemon', () => {
  const state = windowOn(null, { server: null, error: mismatch });

  it('says so at each folder, with what to do, instead of a welcome', () => {
    assert.equal(welcomeOf(state, view), 'none');
    const { summary, troubles } = folderVerdict(folder, true, state.snapshot, view);
    assert.equal(summary, 'another server');
    assert.deepEqual(
      troubles.map(({ kind, message, advice }) => [kind, message, advice]),
      [['mismatch', 'Nothing is done here.', 'The daemon serves a:5432/r, and the setting names b:5432/r.']],
    );
  });
});

describe('a password that the daemon lacks', () => {
  it('is noticed in the answer of a folder, or where nothing could be opened', () => {
    assert.equal(missingPassword(windowOn(refused(noPassword))), 'localhost:5432');
    assert.equal(missingPassword(windowOn(null, { server: null, error: noPassword })), 'your address');
  });

  it('is not asked for where none would help, nor in a window that is not trusted', () => {
    const closed = { ...noPassword, details: { sqlState: '28000' } };
    assert.equal(missingPassword(windowOn(refused(closed))), null);
    assert.equal(missingPassword({ ...windowOn(refused(noPassword)), isTrusted: false }), null);
    assert.equal(missingPassword(windowOn(null)), null);
  });

  it('has a row with an action', () => {
    const { snapshot } = windowOn(refused(noPassword));
    assert.equal(folderVerdict(folder, true, snapshot, view).troubles[0]?.kind, 'credentials');
  });
});

describe('projects that stay behind', () => {
  it('are listed with the line that copies each', () => {
    const project = {
      name: 'shop',
      databaseName: 'cb_proj_shop_1f2e3d4c',
      pending: true,
      command: 'pg_dump x | psql y',
    };
    const text = leftBehindDocument([project], { address: 'db:5432', source: 'file' });
    assert.match(text, /^# 1 project left behind/);
    assert.match(text, /## shop \(not registered there yet\)\n\n```sh\npg_dump x \| psql y\n```/);
  });
});
