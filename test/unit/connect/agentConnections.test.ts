import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, readlink, stat, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { editAgentFile } from '../../../daemon/connect/editAgentFile.ts';
import { agentSnippet } from '../../../daemon/protocol/agentEntry.ts';
import { agentIds, agents } from '../../../daemon/protocol/agents.ts';
import { asOrdinaryUser, giveToOrdinaryUser, put, scratchFolder } from '../config/scratchFolder.ts';
import { newHome, refusal, request, token } from './connectFixture.ts';

const scratch = scratchFolder();
const writable = agentIds.filter((id) => agents[id].writable);

describe('A6: connecting an agent', () => {
  for (const agent of writable) {
    const { format, serversKey } = agents[agent];
    const mine =
      format === 'json'
        ? `\uFEFF// mine\r\n{\r\n\t"${serversKey}": {\r\n\t\t"a": {"command": "a"}, // note\r\n\t},\r\n\t"x": 1\r\n}\r\n`
        : `\uFEFF# mine\r\nmodel = "x"\r\n\r\n[${serversKey}.a]\r\ncommand = "a" # note\r\n`;

    it(`${agent}: makes the file and its folders, and removes them again`, async () => {
      const { home, connections } = newHome(scratch);
      const plan = await connections.plan(request(agent));
      assert.equal(await connections.write(plan), 'written');
      assert.equal(await readFile(plan.file, 'utf8'), `${plan.snippet}\n`);
      assert.equal((await stat(plan.file)).mode & 0o777, 0o600);
      assert.deepEqual(
        await readdir(dirname(plan.file)),
        [plan.file.split('/').at(-1)].concat(dirname(plan.file) === home ? ['state'] : []),
      );
      assert.equal(await connections.remove(plan.file), 'removed');
      assert.deepEqual(await readdir(home), ['state']);
      assert.deepEqual(await connections.list(), []);
    });

    it(`${agent}: adds to a file, once, and leaves it to the byte as it was`, async () => {
      const { connections } = newHome(scratch);
      const plan = await connections.plan(request(agent));
      await put(plan.file, mine);
      await chmod(plan.file, 0o640);
      assert.equal(await connections.write(plan), 'written');
      const written = await readFile(plan.file, 'utf8');
      assert.ok(written.startsWith(mine.slice(0, 12)) && written.includes('note') && !/[^\r]\n/.test(written));
      const before = await stat(plan.file);
      assert.equal(await connections.write(plan), 'unchanged');
      const after = await stat(plan.file);
      assert.deepEqual([after.ino, after.mode & 0o777], [before.ino, 0o640]);
      assert.deepEqual(
        (await connections.list()).map(({ agent: id, file, entry, time }) => ({ id, file, entry, time })),
        [{ id: agent, file: plan.file, entry: plan.entry, time: '2026-11-03T09:00:00.000Z' }],
      );
      assert.equal(await connections.remove(plan.file), 'removed');
      assert.equal(await readFile(plan.file, 'utf8'), mine);
      assert.equal(await connections.remove(plan.file), 'absent');
    });

    it(`${agent}: puts an entry for HTTP in the place of its own, and nothing is left of either`, async () => {
      const { connections } = newHome(scratch);
      const stdio = await connections.plan(request(agent));
      await put(stdio.file, mine);
      await chmod(stdio.file, 0o600);
      await connections.write(stdio);
      const http = await connections.plan(request(agent, { transport: 'http' }));
      assert.equal(http.tokenVariable, null);
      assert.equal(await connections.write(http), 'replaced');
      const text = await readFile(http.file, 'utf8');
      assert.ok(text.includes(`Bearer ${token}`) && !text.includes('bin/registrar'));
      await connections.remove(http.file);
      assert.equal(await readFile(http.file, 'utf8'), mine);
    });

    it(`${agent}: works in a workspace’s own file`, async () => {
      const { at, connections } = newHome(scratch);
      await mkdir(at('shop'), { recursive: true });
      const plan = await connections.plan(request(agent, { scope: 'workspace', directory: at('shop') }));
      assert.ok(plan.file.startsWith(at('shop/.')));
      assert.equal(await connections.write(plan), 'written');
      assert.equal(await connections.remove(plan.file), 'removed');
      assert.deepEqual(await readdir(at('shop')), []);
    });

    it(`${agent}: refuses what it cannot parse, and leaves it`, async () => {
      const { connections } = newHome(scratch);
      const plan = await connections.plan(request(agent));
      for (const damaged of ['{"a" 1', Buffer.from([0x7b, 0xff, 0x7d]), '[\n']) {
        await put(plan.file, damaged);
        const { code, message } = await refusal(connections.write(plan));
        assert.equal(code, 'CONFIG_INVALID');
        assert.ok(message.startsWith(plan.file) && message.endsWith('It was left as it is.'), message);
        assert.deepEqual(await readFile(plan.file), Buffer.from(damaged));
      }
      assert.deepEqual(await connections.list(), []);
    });
  }

  it('never touches an entry of the same name that is somebody else’s', async () => {
    const { connections } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    const theirs = '{"mcpServers": {"registrar": {"command": "other"}}}';
    await put(plan.file, theirs);
    assert.equal((await refusal(connections.write(plan))).code, 'CONFIG_CHANGED');
    assert.equal(await connections.remove(plan.file), 'absent');
    assert.equal(await readFile(plan.file, 'utf8'), theirs);
    assert.deepEqual(await connections.list(), []);
  });

  it('takes an entry that somebody wrote by hand for theirs, even when it is the same', async () => {
    const { connections } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    await put(plan.file, plan.snippet);
    assert.equal(await connections.write(plan), 'unchanged');
    assert.equal(await connections.remove(plan.file), 'absent');
    assert.equal(await readFile(plan.file, 'utf8'), plan.snippet);
  });

  it('leaves an entry that was changed since, and says so', async () => {
    const { connections } = newHome(scratch);
    const plan = await connections.plan(request('codex'));
    await connections.write(plan);
    appendFileSync(plan.file, 'startup_timeout_sec = 30\n');
    const edited = await readFile(plan.file, 'utf8');
    assert.equal((await refusal(connections.remove(plan.file))).code, 'CONFIG_CHANGED');
    assert.equal((await refusal(connections.write({ ...plan, entry: { command: 'x' } }))).code, 'CONFIG_CHANGED');
    assert.equal(await readFile(plan.file, 'utf8'), edited);
    assert.equal((await connections.list()).length, 1);
  });

  it('removes its entry from a file that the agent has written anew', async () => {
    const { connections } = newHome(scratch);
    const plan = await connections.plan(request('claude-code'));
    await connections.write(plan);
    const value = JSON.parse(await readFile(plan.file, 'utf8')) as object;
    await put(plan.file, JSON.stringify({ projects: {}, ...value }, null, 4));
    assert.equal(await connections.remove(plan.file), 'removed');
    assert.deepEqual(JSON.parse(await readFile(plan.file, 'utf8')), { projects: {}, mcpServers: {} });
  });

  it('removes what it made also when the agent has written it anew with nothing else in it', async () => {
    const { connections, home } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    await connections.write(plan);
    await put(plan.file, JSON.stringify(JSON.parse(await readFile(plan.file, 'utf8'))));
    assert.equal(await connections.remove(plan.file), 'removed');
    assert.deepEqual(await readdir(home), ['state']);
  });

  it('forgets an entry whose file is gone, and keeps a folder in which there is something else', async () => {
    const { connections, at } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    await connections.write(plan);
    await put(at('.cursor', 'rules'), 'mine');
    await connections.remove(plan.file);
    assert.deepEqual(await readdir(at('.cursor')), ['rules']);
    await connections.write(plan);
    await unlink(plan.file);
    assert.equal(await connections.remove(plan.file), 'absent');
    assert.deepEqual(await connections.list(), []);
  });

  it('keeps a symbolic link and edits what it leads to, but makes nothing behind one that leads nowhere', async () => {
    const { connections, at } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    await put(at('dotfiles', 'cursor.json'), '{}');
    await mkdir(at('.cursor'));
    await symlink('../dotfiles/cursor.json', plan.file);
    await connections.write(plan);
    assert.equal(await readlink(plan.file), '../dotfiles/cursor.json');
    assert.equal(await readFile(at('dotfiles', 'cursor.json'), 'utf8'), agentSnippet(agents.cursor, plan.entry));
    await connections.remove(plan.file);
    assert.equal(await readFile(at('dotfiles', 'cursor.json'), 'utf8'), '{}');
    await unlink(at('dotfiles', 'cursor.json'));
    const { code, message } = await refusal(connections.write(plan));
    assert.deepEqual([code, message], ['CONFIG_UNREADABLE', `${plan.file} is a symbolic link that leads nowhere.`]);
    assert.deepEqual(await readdir(at('dotfiles')), []);
  });

  it('says why a file cannot be written, and remembers nothing', async () => {
    const { connections, home, at } = newHome(scratch);
    const plan = await connections.plan(request('cursor'));
    await put(plan.file, '{}');
    await chmod(plan.file, 0o400);
    const readOnly = await refusal(connections.write(plan));
    assert.deepEqual([readOnly.code, readOnly.message], ['CONFIG_UNREADABLE', `${plan.file} is not writable by you.`]);
    assert.deepEqual(await connections.list(), []);
    await unlink(plan.file);
    await mkdir(plan.file);
    assert.match((await refusal(connections.write(plan))).message, /is not a file\.$/);

    await mkdir(at('closed'));
    await giveToOrdinaryUser(home, at('closed'));
    await chmod(at('closed'), 0o500);
    const write = (path: string): Promise<unknown> => editAgentFile(path, 0o600, async () => ({ text: '{}' }));
    for (const path of [at('closed', 'mcp.json'), at('closed', 'deep', 'mcp.json')]) {
      const { code, message } = await asOrdinaryUser(() => refusal(write(path)));
      assert.deepEqual([code, message], ['CONFIG_UNREADABLE', `${path} is not writable by you.`]);
    }
    assert.deepEqual(await readdir(at('closed')), []);
  });

  it('refuses agents whose files it does not edit, and ways that an agent does not have', async () => {
    const { connections } = newHome(scratch);
    for (const agent of agentIds.filter((id) => !agents[id].writable)) {
      const plan = await connections.plan(request(agent));
      assert.equal((await refusal(connections.write(plan))).code, 'INVALID_ARGUMENT');
      await assert.rejects(
        async () => connections.plan(request(agent, { scope: 'workspace' })),
        /no settings file in a workspace/,
      );
    }
    assert.match(
      (await refusal(connections.plan(request('claude-desktop', { transport: 'http' })))).message,
      /over HTTP/,
    );
  });

  it('says whether the launcher is there', async () => {
    const { connections, at } = newHome(scratch);
    const launcher = at('state', 'bin', 'registrar');
    assert.deepEqual((await connections.plan(request('zed'))).launcher, { path: launcher, exists: false });
    await put(launcher, '');
    assert.deepEqual((await connections.plan(request('zed'))).launcher, { path: launcher, exists: true });
  });

  it('lets commands that run at once keep each other’s entries', async () => {
    const { connections, at } = newHome(scratch);
    const plans = await Promise.all([
      connections.plan(request('cursor')),
      connections.plan(request('vscode')),
      connections.plan(request('cursor')),
    ]);
    const outcomes = await Promise.all(plans.map((plan) => connections.write(plan)));
    assert.equal(outcomes.filter((outcome) => outcome === 'written').length, 2);
    assert.equal((await connections.list()).length, 2);
    assert.equal(await readFile(at('.cursor', 'mcp.json'), 'utf8'), `${plans[0].snippet}\n`);
  });
});
