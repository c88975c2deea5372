import assert from 'node:assert/strict';
import manifest from '../../../package.json' with { type: 'json' };
import { commandIds } from '../../../extension/contributions.ts';

describe('contributions', () => {
  it('names exactly the commands of the manifest', () => {
    const contributed = manifest.contributes.commands.map(({ command }) => command);
    assert.deepEqual(Object.values(commandIds).sort(), contributed.sort());
  });

  it('puts every command into the category Registrar, without repeating it in the title', () => {
    for (const { category, title } of manifest.contributes.commands) {
      assert.equal(category, 'Registrar');
      assert.doesNotMatch(title, /registrar/i);
    }
  });
});
