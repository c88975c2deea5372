import assert from 'node:assert/strict';
import { mcpOffer } from '../../../extension/mcpOffer.ts';
import { resolved } from '../cli/fakeCli.ts';
import { folder, windowOn } from './windowStates.ts';

describe('what VS Code’s own agents are offered', () => {
  const state = windowOn(resolved);

  it('is the address and the folder of a window with one', () => {
    const url = 'http://127.0.0.1:4711/mcp';
    assert.deepEqual(mcpOffer(state, true, '1.0.0'), { url, directory: folder.path, version: '1.0.0 standard' });
  });

  it('names no folder in a window with several, or none: those are asked for', () => {
    const folders = [folder, { name: 'pay', path: '/home/a/pay' }];
    assert.equal(mcpOffer({ ...state, folders }, true, '1.0.0')?.directory, null);
    assert.equal(mcpOffer({ ...state, folders: [] }, true, '1.0.0')?.directory, null);
  });

  it('is there before the daemon is, as it is started when an agent needs it', () => {
    const offer = mcpOffer({ ...state, snapshot: null }, true, '1.0.0');
    assert.deepEqual(offer, { url: null, directory: folder.path, version: '1.0.0 standard' });
  });

  it('has another version when the daemon, its tools or the token are others', () => {
    const mcp = { url: 'http://127.0.0.1:4711/mcp', tools: 'standard', rotations: 0 } as const;
    const all = windowOn(resolved, { mcp: { ...mcp, tools: 'all' } });
    const rotated = windowOn(resolved, { mcp: { ...mcp, rotations: 2 } });
    assert.equal(mcpOffer(rotated, true, '1.0.0')?.version, '1.0.0 standard token 2');
    assert.equal(mcpOffer(all, true, '1.0.0')?.version, '1.0.0 all');
    const newer = windowOn(resolved, { daemon: { version: '2.0.0', pid: 1, started: '' } });
    assert.equal(mcpOffer(newer, true, '1.0.0')?.version, '2.0.0 standard');
  });

  it('is nothing where it is switched off, in the window or the daemon, and where nothing is trusted', () => {
    assert.equal(mcpOffer(state, false, '1.0.0'), null);
    assert.equal(mcpOffer(windowOn(resolved, { mcp: null }), true, '1.0.0'), null);
    assert.equal(mcpOffer({ ...state, isTrusted: false }, true, '1.0.0'), null);
  });
});
