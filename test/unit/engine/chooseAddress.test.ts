import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseAddress, type AddressQuestion } from '../../../daemon/engine/chooseAddress.ts';
import type { AddressSource } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import type { Settings } from '../../../daemon/protocol/settings.ts';
import { noSettings } from '../../support/registryFixture.ts';

describe('the choice of PostgreSQL', () => {
  let stateFolder: string;
  let progress: string[];
  before(async () => {
    stateFolder = await mkdtemp(join(tmpdir(), 'registrar-choice-'));
    await chmod(stateFolder, 0o700);
  });
  beforeEach(() => {
    progress = [];
  });
  after(() => rm(stateFolder, { recursive: true, force: true }));

  function question(given: Partial<AddressQuestion>): AddressQuestion {
    return {
      databaseUrl: null,
      environment: {},
      settings: noSettings,
      stateFolder,
      onProgress: (message) => progress.push(message),
      ...given,
    };
  }

  async function refusal(given: Partial<AddressQuestion>): Promise<RegistrarError> {
    const error: unknown = await chooseAddress(question(given)).then(
      ({ source }) => assert.fail(`${source} was chosen`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RegistrarError, String(error));
    return error;
  }

  /** Nothing is written, said or run. */
  async function assertIdle(runningBefore: string[]): Promise<void> {
    assert.deepEqual(await readdir(stateFolder), []);
    assert.deepEqual(progress, []);
    assert.deepEqual(running(), runningBefore);
  }

  it('E4: is left to people while nothing is chosen: POSTGRES_NOT_CHOSEN with the choices, and nothing is started', async () => {
    const before = running();
    for (const environment of [{}, { REGISTRAR_DATABASE_URL: '' }, { PGHOST: 'db.example', PGUSER: 'me' }]) {
      const error = await refusal({ environment });
      assert.equal(error.code, 'POSTGRES_NOT_CHOSEN');
      assert.match(error.message, /No PostgreSQL is chosen/);
      for (const choice of [
        /registrar postgres postgresql:\/\//,
        /registrar postgres bundled/,
        /REGISTRAR_DATABASE_URL/,
      ]) {
        assert.match(error.hint, choice);
      }
    }
    await assertIdle(before);
  });

  it('E4: is the first of argument, environment and settings, and dials none of them', async () => {
    const accepted: string[] = [];
    const server = net.createServer(() => accepted.push('dialled'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    const url = (database: string): string => `postgresql://me@127.0.0.1:${String(address.port)}/${database}`;
    const settings: Settings = { ...noSettings, postgres: { kind: 'url', url: url('from_settings') } };
    const environment = { REGISTRAR_DATABASE_URL: url('from_environment') };
    const before = running();
    const expected: [Partial<AddressQuestion>, AddressSource, string][] = [
      [{ databaseUrl: url('from_argument'), environment, settings }, 'argument', 'from_argument'],
      [{ environment, settings }, 'environment', 'from_environment'],
      [{ settings }, 'file', 'from_settings'],
      // The bundled server was chosen, too, but what counts more is set: it is not started.
      [{ environment, settings: { ...noSettings, postgres: { kind: 'bundled' } } }, 'environment', 'from_environment'],
    ];
    for (const [given, source, registry] of expected) {
      const chosen = await chooseAddress(question(given));
      assert.deepEqual([chosen.source, chosen.address.registryDatabase, chosen.bundled], [source, registry, null]);
    }
    await assertIdle(before);
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(accepted, []);
  });

  it('E4: falls through to no other when the first cannot be read', async () => {
    const settings: Settings = { ...noSettings, postgres: { kind: 'url', url: 'postgresql://localhost/registry' } };
    const before = running();
    assert.equal((await refusal({ databaseUrl: 'mysql://localhost', settings })).code, 'INVALID_ARGUMENT');
    assert.equal(
      (await refusal({ environment: { REGISTRAR_DATABASE_URL: 'nonsense' }, settings })).code,
      'INVALID_ARGUMENT',
    );
    await assertIdle(before);
  });

  it('E1: takes no password from the list of processes, and does not repeat it', async () => {
    for (const databaseUrl of [
      'postgresql://me:hunter2@localhost/registry',
      'postgresql://localhost/?password=hunter2',
    ]) {
      const error = await refusal({ databaseUrl });
      assert.equal(error.code, 'INVALID_ARGUMENT');
      assert.match(error.hint, /PGPASSWORD.*pgpass.*REGISTRAR_DATABASE_URL/);
      assert.ok(!JSON.stringify(error.toReport()).includes('hunter2'));
    }
  });
});

/** Child processes that this process waits for. */
function running(): string[] {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap');
}
