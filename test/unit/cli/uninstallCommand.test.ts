import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { FoundHere } from '../../../daemon/cli/cliContext.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, path } from './fakeCli.ts';

const found: FoundHere = {
  stateFolder: '/home/a/.local/state/project-registrar',
  entries: ['endpoint.json', 'logs'],
  bundledData: null,
  agents: [{ agent: 'cursor', file: '/home/a/.cursor/mcp.json' }],
};
const own = { server: () => ({ address: 'db:5432', source: 'file' as const }) };

function terminal(keys: string): { stdin: PassThrough & { isTTY: boolean } } {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  stdin.write(keys);
  return { stdin };
}

describe('registrar uninstall', () => {
  it('shows what would go and what stays, and removes nothing without a confirmation', async () => {
    const run = await cli(['uninstall'], { found, api: own });
    assert.equal(run.status, 1);
    assert.deepEqual(run.stdout.split('\n'), [
      'Registrar would remove:',
      '  ~/.local/state/project-registrar   settings, log, launcher, and projects that are not registered yet',
      '  the entry for cursor in ~/.cursor/mcp.json',
      'It would keep, on db:5432: the registry and its projects’ databases',
      '    cb_proj_shop_1f2e3d4c  shop',
      '',
    ]);
    assert.match(run.stderr, /CONFIRMATION_REQUIRED: Nothing was removed\.\n {2}next: registrar uninstall --confirm/);
    assert.ok(!path(run).includes('uninstall.remove'));
  });

  it('says that the bundled PostgreSQL goes with its databases', async () => {
    const bundledData = '/var/lib/project-registrar/0123456789abcdef';
    const run = await cli(['uninstall'], { found: { ...found, bundledData } });
    assert.match(run.stdout, /\n {2}\/var\/lib\/.*the bundled PostgreSQL with all its databases\n {4}cb_proj_shop_/);
    assert.doesNotMatch(run.stdout, /stays/);
  });

  it('asks on a terminal, and takes only yes for yes', async () => {
    const refused = await cli(['uninstall'], { found, api: own, context: terminal('y\r') });
    assert.equal(refused.status, 1);
    assert.ok(!path(refused).includes('uninstall.remove'));
    const run = await cli(['uninstall'], { found, api: own, context: terminal('yes\r') });
    assert.equal(run.status, 0);
    assert.ok(path(run).includes('uninstall.remove'));
    assert.match(run.stdout, /\nRemoved\.\nnext: remove the program itself/);
  });

  it('stops the daemon before it removes anything', async () => {
    const order: string[] = [];
    const uninstall = () => ({
      found: async () => found,
      remove: async () => {
        order.push('remove');
        return { failures: [], left: ['notes.txt'] };
      },
    });
    const stop = async (): Promise<boolean> => {
      order.push('stop');
      return true;
    };
    const run = await cli(['uninstall', '--confirm'], { api: own, context: { uninstall }, daemon: { stop } });
    assert.deepEqual(order, ['stop', 'remove']);
    assert.match(run.stdout, /Kept, because Registrar did not put it there: notes\.txt\n/);
    const hanging = () =>
      Promise.reject(new RegistrarError({ code: 'DAEMON_UNREACHABLE', message: 'It hangs.', hint: 'End it.' }));
    const failed = await cli(['uninstall', '--confirm'], { found, daemon: { stop: hanging } });
    assert.equal(failed.status, 3);
    assert.ok(!path(failed).includes('uninstall.remove'));
  });

  it('goes on without the list of databases when the server does not answer', async () => {
    const error = new RegistrarError({ code: 'REGISTRY_UNREACHABLE', message: 'No answer.', hint: 'Start it.' });
    const api = { listProjects: () => Promise.reject(error) };
    const run = await cli(['uninstall'], { found, api });
    assert.match(run.stdout, /What is on your server stays. Registrar could not list it: No answer\.\n/);
    assert.equal((await cli(['uninstall', '--confirm'], { found, api })).status, 0);
  });

  it('says what could not be taken out of an agent’s file', async () => {
    const failures = [{ code: 'CONFIG_CHANGED' as const, message: 'It was changed.', hint: 'Remove it by hand.' }];
    const uninstall = () => ({ found: async () => found, remove: async () => ({ failures, left: [] }) });
    const run = await cli(['uninstall', '--confirm'], { context: { uninstall } });
    assert.equal(run.status, 1);
    assert.match(run.stdout, /CONFIG_CHANGED: It was changed\.\n {2}next: Remove it by hand\./);
  });

  it('starts nothing where there is nothing, and prints one JSON document', async () => {
    const nothing = await cli(['uninstall', '--json']);
    assert.equal((JSON.parse(nothing.stdout) as { removed: boolean }).removed, false);
    assert.deepEqual(nothing.calls, []);
    const run = await cli(['uninstall', '--json'], { found, api: own });
    const { error } = JSON.parse(run.stdout) as { error: { code: string; details: FoundHere } };
    assert.equal(error.code, 'CONFIRMATION_REQUIRED');
    assert.deepEqual(error.details.agents, found.agents);
  });
});
