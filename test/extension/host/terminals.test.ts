import assert from 'node:assert/strict';
import { settingIds } from '../../../extension/contributions.ts';
import { set } from './settings.ts';
import { environmentOfTerminal, terminalOnce } from './terminalEnvironment.ts';

describe('new terminals', () => {
  it('are in the project’s database while the setting says so', async () => {
    assert.doesNotMatch(await environmentOfTerminal(), /^PGDATABASE=/m);
    await set(settingIds.terminalEnvironment, true);
    const filled = await terminalOnce('the variables', (text) => /^PGDATABASE=/m.test(text));
    assert.match(filled, /^PGDATABASE=cb_proj_shop_[0-9a-f]{8}$/m);
    assert.match(filled, /^DATABASE_URL=postgresql:\/\/.*cb_proj_shop_[0-9a-f]{8}/m);
    await set(settingIds.terminalEnvironment, undefined);
    await terminalOnce('no variables', (text) => !/^(PGDATABASE|DATABASE_URL)=/m.test(text));
  });
});
