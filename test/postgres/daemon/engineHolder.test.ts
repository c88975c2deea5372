import assert from 'node:assert/strict';
import { join } from 'node:path';
import { EngineHolder, type HolderLimits } from '../../../daemon/engine/engineHolder.ts';
import type { Engine } from '../../../daemon/engine/engine.ts';
import { settingsFile } from '../../../daemon/stateFolder/settingsFile.ts';
import type { GivenAddress } from '../../../daemon/protocol/control.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';

describe('the engine of the daemon', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  const holders: EngineHolder[] = [];
  before(async () => {
    fixture = await registryFixture();
  });
  after(async () => {
    for (const holder of holders) await holder.close(false);
    await fixture.close();
  });

  const nothing = (): void => undefined;
  const environment = (url: string | null, variables: Record<string, string> = {}): GivenAddress => ({
    url,
    source: 'environment',
    variables,
  });

  async function open(
    given: GivenAddress,
    limits?: HolderLimits,
  ): Promise<{ holder: EngineHolder; settings: ReturnType<typeof settingsFile> }> {
    const stateFolder = await fixture.stateFolder();
    const settingsPath = join(stateFolder, 'settings.json');
    const settings = settingsFile(settingsPath);
    const holder = new EngineHolder({
      stateFolder,
      home: stateFolder,
      environment: {},
      given,
      settingsPath,
      readSettings: () => settings.read(),
      updateSettings: (change) => settings.update(change),
      log: { info: nothing, warn: nothing },
      windows: () => [],
      onSync: nothing,
      onRegistryChange: nothing,
      ...(limits ? { limits } : {}),
    });
    holders.push(holder);
    return { holder, settings };
  }

  const list = (engine: Engine): ReturnType<Engine['listProjects']> => engine.listProjects({});

  it('cuts off whoever holds it too long when the address changes, and serves the next', async () => {
    const { holder } = await open(environment(fixture.url()), { finishMs: 20, closeMs: 10_000 });
    const endless = holder.use(null, nothing, () => new Promise<never>(nothing));
    endless.catch(nothing);
    await holder.use(null, nothing, list);
    const url = fixture.url().replace(/:\/\/[^@]*@/, '://');
    const { username, password } = new URL(fixture.url());
    const variables = { PGUSER: username };
    await holder.changeAddress({ postgres: { kind: 'url', url }, password, variables }, nothing);
    await assert.rejects(endless, (error) => {
      assert.ok(error instanceof RegistrarError);
      assert.equal(error.code, 'DAEMON_UNREACHABLE');
      assert.match(error.message, /whether it was done is not known/);
      return true;
    });
    assert.deepEqual(await holder.use(null, nothing, list), { projects: [], nextCursor: null });
    assert.equal(holder.server?.source, 'file');
  });

  it('waits for those who finish in time, and whoever comes meanwhile gets the next', async () => {
    const { holder, settings } = await open(environment(fixture.url()));
    let finish: (answer: string) => void = nothing;
    const engines: Engine[] = [];
    const slow = holder.use(null, nothing, (engine) => {
      engines.push(engine);
      return new Promise<string>((resolve) => (finish = resolve));
    });
    await holder.use(null, nothing, list);
    await settings.update((before) => ({ ...before, 'registrar.config.writeId': 'never' }));
    const next = holder.use(null, nothing, async (engine) => {
      engines.push(engine);
      return list(engine);
    });
    finish('finished');
    assert.equal(await slow, 'finished');
    assert.deepEqual((await next).projects, []);
    assert.notEqual(engines[0], engines[1]);
  });

  it('E3: is one with one pool, however many ask at once', async () => {
    const { holder } = await open(environment(fixture.url()));
    const engines = await Promise.all(
      Array.from({ length: 50 }, () =>
        holder.use(null, nothing, async (engine) => {
          await list(engine);
          return engine;
        }),
      ),
    );
    assert.equal(new Set(engines).size, 1);
    assert.ok((engines[0]?.pool().open ?? 99) <= 8);
  });

  it('takes over the password of a client, once however many bring it, and nobody’s who has a wrong one', async () => {
    const role = await fixture.role('superuser');
    const url = new URL(fixture.url(role));
    url.password = '';
    const { holder } = await open(environment(url.href));
    const codeOf = async (offer: GivenAddress): Promise<unknown> =>
      holder.use(offer, nothing, list).then(
        () => null,
        (error: unknown) => (error instanceof RegistrarError ? error.code : error),
      );
    assert.equal(await codeOf(environment(null)), 'CREDENTIALS_REQUIRED');
    assert.equal(await codeOf(environment(null, { PGPASSWORD: 'wrong' })), 'CREDENTIALS_REQUIRED');
    const refused = holder.engine;
    const helpful = Array.from({ length: 6 }, () => codeOf(environment(null, { PGPASSWORD: role.password })));
    assert.deepEqual(new Set(await Promise.all(helpful)), new Set([null]));
    assert.notEqual(holder.engine, refused);
    const cured = holder.engine;
    assert.equal(await codeOf(environment(null, { PGPASSWORD: 'wrong' })), null);
    assert.equal(await codeOf(environment(url.href)), null);
    assert.equal(holder.engine, cured);
  });

  it('does not send one terminal’s password to the server that another terminal chose', async () => {
    const [first, second] = [await fixture.role('superuser'), await fixture.role('superuser')];
    const bare = (role: { name: string; password: string }): string => {
      const url = new URL(fixture.url(role));
      url.password = '';
      return url.href;
    };
    const { holder } = await open(environment(bare(first), { PGPASSWORD: first.password }));
    await holder.use(null, nothing, list);
    const change = await holder.changeAddress(
      { postgres: { kind: 'url', url: bare(second) }, password: null, variables: {} },
      nothing,
    );
    assert.equal(change.error, null);
    const refused = await holder.use(null, nothing, list).then(
      () => null,
      (error: unknown) => error,
    );
    assert.match(String(refused), /asks for the password .* but none is known/);
  });
});
