import assert from 'node:assert/strict';
import { cli } from './fakeCli.ts';

describe('registrar mcp', () => {
  it('serves the agent on its standard streams, in the folder that is named', async () => {
    const named = await cli(['mcp', '--directory', 'src']);
    assert.deepEqual(named.calls, [['forwardAgent', '/home/a/shop/src']]);
    assert.equal(named.stdout, '');
    assert.deepEqual((await cli(['mcp'])).calls, [['forwardAgent', null]]);
  });

  it('takes a variable that the agent did not replace for no folder', async () => {
    assert.deepEqual((await cli(['mcp', '--directory', '${workspaceFolder}'])).calls, [['forwardAgent', null]]);
  });

  it('refuses what it does not know', async () => {
    assert.equal((await cli(['mcp', '--directory', ''])).status, 2);
    assert.equal((await cli(['mcp', 'extra'])).status, 2);
  });
});
