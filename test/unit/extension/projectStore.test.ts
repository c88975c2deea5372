import assert from 'node:assert/strict';
import { ProjectStore } from '../../../extension/projectStore.ts';
import { resolutions, windowOn } from './windowStates.ts';

describe('the store that views draw', () => {
  it('tells once of 1,000 changes that come together, and of the latest', async () => {
    const store = new ProjectStore();
    const seen: (number | undefined)[] = [];
    const told = new Promise<void>((resolve) => {
      store.onDidChange(({ snapshot }) => {
        seen.push(snapshot?.revision);
        resolve();
      });
    });
    for (let revision = 1; revision <= 1000; revision += 1) {
      const { snapshot } = windowOn(resolutions.ready, { revision });
      store.update({ snapshot });
    }
    await told;
    assert.deepEqual(seen, [1000]);
    store.dispose();
  });

  it('tells nobody who has left', async () => {
    const store = new ProjectStore();
    const told = new Promise<void>((resolve) => {
      const first = store.onDidChange(() => assert.fail('it was told'));
      store.onDidChange(() => {
        resolve();
      });
      first.dispose();
    });
    store.update({ isTrusted: true });
    await told;
    store.dispose();
  });
});
