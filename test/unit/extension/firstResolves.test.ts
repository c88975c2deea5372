import assert from 'node:assert/strict';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { FirstResolves } from '../../../extension/firstResolves.ts';
import { folder, resolutions, windowOn } from './windowStates.ts';

const notChosen = { code: 'POSTGRES_NOT_CHOSEN', message: 'None is chosen.', hint: 'Choose one.' } as const;

interface Asking {
  refused: string[];
  first: FirstResolves;
  asked: string[];
  answer: Resolution | RegistrarError;
  /** Lets what was asked be answered before the test goes on. */
  settle(): Promise<void>;
}

/** Answers what the test puts there. */
function asking(): Asking {
  const fake: Asking = {
    asked: [],
    refused: [],
    answer: resolutions.ready,
    first: new FirstResolves(
      (directory) => {
        fake.asked.push(directory);
        return fake.answer instanceof RegistrarError ? Promise.reject(fake.answer) : Promise.resolve(fake.answer);
      },
      ({ code }) => {
        fake.refused.push(code);
      },
    ),
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  return fake;
}

describe('opening a folder', () => {
  it('asks for its project once, also after the daemon was replaced', async () => {
    const fake = asking();
    fake.first.update(windowOn(null));
    fake.first.update(windowOn(null));
    await fake.settle();
    fake.first.update(windowOn(resolutions.notMade));
    fake.first.update(windowOn(null, { daemon: { version: '1.0.0', pid: 2, started: 'later' } }));
    await fake.settle();
    assert.deepEqual(fake.asked, [folder.path]);
  });

  it('asks for two folders one after the other, in their order', async () => {
    const fake = asking();
    const pay = { name: 'pay', path: '/home/a/pay' };
    const folders = [{ path: folder.path, trusted: true, resolution: null, database: null }];
    fake.first.update({ ...windowOn(null, { folders }), folders: [folder, pay] });
    await fake.settle();
    assert.deepEqual(fake.asked, [folder.path, pay.path]);
  });

  it('asks nothing for a folder that is not trusted, nor without a daemon', () => {
    const fake = asking();
    fake.first.update({ ...windowOn(null), isTrusted: false });
    fake.first.update({ ...windowOn(null), snapshot: null });
    assert.deepEqual(fake.asked, []);
  });

  it('asks again when a PostgreSQL was chosen meanwhile, and not before', async () => {
    const fake = asking();
    fake.answer = new RegistrarError(notChosen);
    fake.first.update(windowOn(null, { server: null, error: notChosen }));
    await fake.settle();
    fake.first.update(windowOn(null, { server: null, error: notChosen }));
    fake.answer = resolutions.ready;
    fake.first.update(windowOn(resolutions.notMade));
    await fake.settle();
    fake.first.update(windowOn(resolutions.notMade));
    assert.equal(fake.asked.length, 2);
  });

  it('tells once of a refusal that no snapshot speaks of, and does not ask again', async () => {
    const fake = asking();
    fake.answer = new RegistrarError({ code: 'INVALID_ARGUMENT', message: 'Not an address.', hint: 'Choose.' });
    fake.first.update(windowOn(null));
    await fake.settle();
    fake.first.update(windowOn(resolutions.notMade));
    await fake.settle();
    assert.deepEqual(fake.refused, ['INVALID_ARGUMENT']);
    assert.equal(fake.asked.length, 1);
  });

  it('asks again when a config that said nothing sensible does', async () => {
    const fake = asking();
    const error = { code: 'NAME_INVALID', message: 'No name.', hint: 'Another.' } as const;
    const invalid = { ...resolutions.unreachable, error };
    fake.answer = invalid;
    fake.first.update(windowOn(invalid));
    await fake.settle();
    fake.first.update(windowOn(invalid, { revision: 2 }));
    fake.answer = resolutions.ready;
    fake.first.update(windowOn(resolutions.notMade));
    await fake.settle();
    assert.equal(fake.asked.length, 2);
  });

  it('asks again when the server answers that did not', async () => {
    const fake = asking();
    fake.answer = resolutions.unreachable;
    fake.first.update(windowOn(resolutions.unreachable));
    await fake.settle();
    fake.first.update(windowOn(resolutions.unreachable, { revision: 2 }));
    fake.first.update(windowOn(resolutions.notMade));
    await fake.settle();
    assert.equal(fake.asked.length, 2);
  });
});
