import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { editAgentFile } from '../../../daemon/connect/editAgentFile.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';
import { refusal } from './connectFixture.ts';

const scratch = scratchFolder();

describe('a file that changes while it is edited', () => {
  it('is edited as it is then', async () => {
    const path = await put(scratch.path('meanwhile', 'mcp.json'), '1');
    const seen: (string | null)[] = [];
    await editAgentFile(path, 0o600, async (text) => {
      seen.push(text);
      if (seen.length === 1) writeFileSync(path, '2');
      return { text: `${text}+` };
    });
    assert.deepEqual(seen, ['1', '2']);
    assert.equal(await readFile(path, 'utf8'), '2+');
    assert.deepEqual(await readdir(dirname(path)), ['mcp.json']);
  });

  it('is edited also when somebody makes or removes it meanwhile', async () => {
    const path = scratch.path('made', 'mcp.json');
    const seen: (string | null)[] = [];
    await editAgentFile(path, 0o600, async (text) => {
      seen.push(text);
      if (text === null) await put(path, '1');
      return { text: `${text ?? ''}+` };
    });
    assert.deepEqual(seen, [null, '1']);
    assert.equal(await readFile(path, 'utf8'), '1+');

    await editAgentFile(path, 0o600, async (text) => {
      seen.push(text);
      if (seen.length === 3) writeFileSync(path, 'more');
      return { text: null };
    });
    assert.deepEqual(seen.slice(2), ['1+', 'more']);
    await assert.rejects(lstat(path));
  });

  it('is left alone when it does not hold still', async () => {
    const path = await put(scratch.path('restless', 'mcp.json'), '');
    let edits = 0;
    const edit = editAgentFile(path, 0o600, async (text) => {
      edits += 1;
      appendFileSync(path, 'x');
      return { text: `${text}+` };
    });
    assert.equal((await refusal(edit)).code, 'CONFIG_CHANGED');
    assert.deepEqual([edits, await readFile(path, 'utf8')], [5, 'xxxxx']);
  });
});
