import assert from 'node:assert/strict';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { requireTrust, type TrustQuestion } from '../../../daemon/resolution/trust.ts';

const plain: TrustQuestion = {
  directory: '/work/shop/src',
  folder: '/work/shop',
  ownerUid: 1000,
  daemonUid: 1000,
  windows: [],
  trustedFolders: [],
  separator: '/',
};

function refusal(question: Partial<TrustQuestion>): RegistrarError | null {
  try {
    requireTrust({ ...plain, ...question });
    return null;
  } catch (error) {
    assert.ok(error instanceof RegistrarError, String(error));
    assert.equal(error.code, 'CONFIG_NOT_TRUSTED');
    assert.match(error.message, /Nothing was created\./);
    assert.notEqual(error.hint, '');
    return error;
  }
}

/** Where a window or a trusted folder can lie, and whether the config's folder and the caller's directory are in it. */
const places: { path: string; holdsFolder: boolean; holdsDirectory: boolean }[] = [
  { path: '/', holdsFolder: true, holdsDirectory: true },
  { path: '/work', holdsFolder: true, holdsDirectory: true },
  { path: '/work/shop', holdsFolder: true, holdsDirectory: true },
  { path: '/work/shop/src', holdsFolder: false, holdsDirectory: true },
  { path: '/work/shop/src/deep', holdsFolder: false, holdsDirectory: false },
  { path: '/work/sho', holdsFolder: false, holdsDirectory: false },
  { path: '/work/shop-2', holdsFolder: false, holdsDirectory: false },
  { path: '/other', holdsFolder: false, holdsDirectory: false },
];
const owners: { ownerUid: number; daemonUid: number | null; isAccepted: boolean }[] = [
  { ownerUid: 1000, daemonUid: 1000, isAccepted: true },
  { ownerUid: 1001, daemonUid: 1000, isAccepted: false },
  { ownerUid: 0, daemonUid: 1000, isAccepted: false },
  { ownerUid: 1000, daemonUid: 0, isAccepted: true },
  { ownerUid: 0, daemonUid: 0, isAccepted: true },
  { ownerUid: -1, daemonUid: null, isAccepted: true },
];

describe('R13: trust in a config file', () => {
  it('comes from its owner where no window and no list says anything; root accepts any owner', () => {
    for (const { ownerUid, daemonUid, isAccepted } of owners) {
      const error = refusal({ ownerUid, daemonUid });
      assert.equal(error === null, isAccepted, `${String(ownerUid)} for ${String(daemonUid)}`);
      if (!error) continue;
      assert.match(error.message, new RegExp(`/work/shop belongs to another user \\(uid ${String(ownerUid)}\\)`));
      assert.match(error.hint, /registrar trust \/work\/shop$/);
    }
  });

  it('is decided by veto, then window, then list, then owner, wherever these lie', () => {
    for (const { ownerUid, daemonUid, isAccepted } of owners)
      for (const vetoing of [null, ...places])
        for (const vouching of [null, ...places])
          for (const listed of [null, ...places]) {
            const windows = [
              ...(vouching ? [{ path: vouching.path, trusted: true }] : []),
              ...(vetoing ? [{ path: vetoing.path, trusted: false }] : []),
            ];
            const question = { ownerUid, daemonUid, windows, trustedFolders: listed ? [listed.path] : [] };
            const isVetoed = vetoing !== null && (vetoing.holdsFolder || vetoing.holdsDirectory);
            const isVouched = vouching?.holdsFolder === true || listed?.holdsFolder === true || isAccepted;
            const error = refusal(question);
            assert.equal(error === null, !isVetoed && isVouched, JSON.stringify(question));
            if (error) assert.equal(error.message.includes('Restricted Mode'), isVetoed, JSON.stringify(question));
          }
  });

  it('is refused by one untrusted window among many', () => {
    const windows = [
      { path: '/work/shop', trusted: true },
      { path: '/other', trusted: false },
      { path: '/work/shop', trusted: false },
      { path: '/work', trusted: true },
    ];
    assert.deepEqual(refusal({ windows })?.details, { folder: '/work/shop' });
    assert.match(refusal({ windows })?.hint ?? '', /trust the folder in VS Code/);
  });

  it('goes by whole names of folders on Windows, too', () => {
    const windows = (path: string): Partial<TrustQuestion> => ({
      directory: 'C:\\work\\shop\\src',
      folder: 'C:\\work\\shop',
      ownerUid: -1,
      daemonUid: null,
      windows: [{ path, trusted: false }],
      separator: '\\',
    });
    for (const path of ['C:\\', 'C:\\work', 'C:\\work\\shop']) assert.ok(refusal(windows(path)), path);
    for (const path of ['C:\\wor', 'C:\\work\\sho', 'D:\\']) assert.equal(refusal(windows(path)), null, path);
  });
});
