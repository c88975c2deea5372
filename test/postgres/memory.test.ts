import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { defaultLimits, type Limits } from '../../daemon/postgres/registry/registryDatabase.ts';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { creations, refused, resolved, warningCodes } from '../support/resolutionAssertions.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcpProxy.ts';

describe('while the server does not answer', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let proxy: TcpProxy;
  let engine: Engine;
  let stateFolder: string;
  let limits: Limits;
  let folder: string;
  let known: Project;

  beforeEach(async () => {
    fixture = await registryFixture();
    proxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
    stateFolder = await fixture.stateFolder();
    limits = { ...patientLimits };
    engine = await throughProxy(stateFolder);
    folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'known' } });
    known = resolved(await engine.resolve({ directory: folder }));
    fixture.spy.take();
  });
  afterEach(async () => {
    proxy.resume();
    await proxy.close();
    await fixture.close();
  });

  async function throughProxy(state: string): Promise<Engine> {
    const url = new URL(fixture.url());
    url.port = String(proxy.port);
    return fixture.engine({ stateFolder: state, limits, address: parseAddress(url.href, {}, localSurroundings()) });
  }

  function assertStale(answer: Resolution, tier: number): void {
    const project = resolved(answer);
    assert.deepEqual([project.id, project.databaseName], [known.id, known.databaseName]);
    assert.deepEqual([answer.stale, answer.created, answer.tier], [true, false, tier]);
    assert.deepEqual(path(answer).slice(-2), [tier === 1 ? 'explicit matched' : 'config matched', 'identity skipped']);
    assert.match(answer.trace.at(-1)?.reason ?? '', /could not be asked/);
    assert.deepEqual(warningCodes(answer), ['STALE']);
    assert.match(answer.warnings[0]?.message ?? '', /does not answer; queries will fail/);
    assert.ok(answer.warnings[0]?.message.includes(`:${String(proxy.port)}`), answer.warnings[0]?.message);
    assert.match(answer.warnings[0]?.hint ?? '', /postgres show/);
    // The limit is a second at most; the rest is for a machine that stalls.
    for (const { durationMs } of answer.trace) assert.ok(durationMs < 15_000, JSON.stringify(answer.trace));
  }

  /** The server takes requests and answers none; from now on the engine waits more briefly than it does for people. */
  function fallSilent(): void {
    proxy.pause();
    Object.assign(limits, { ...defaultLimits, lookMs: 250, writeMs: 1000 });
  }

  /** It answers again, however slowly. */
  function speakAgain(): void {
    Object.assign(limits, patientLimits);
    proxy.resume();
  }

  /** By directory, id and name. */
  async function assertKnown(asked: Engine): Promise<void> {
    assertStale(await asked.resolve({ directory: folder }), 2);
    assertStale(await asked.resolve({ project: known.id.toUpperCase() }), 1);
    assertStale(await asked.resolve({ project: 'known' }), 1);
  }

  async function assertUnknown(asked: Engine): Promise<void> {
    const elsewhere = await fixture.folder();
    const file = await fixture.config(elsewhere, { version: '1.0', project: { name: 'unknown' } });
    const text = await readFile(file, 'utf8');
    const foreign = await fixture.folder();
    // The name is known, but what this folder means by it is not.
    await fixture.config(foreign, { version: '1.0', project: { name: 'known' } });
    const unknown = [
      { directory: elsewhere },
      { directory: foreign },
      { project: 'unknown' },
      { project: randomUUID() },
    ];
    // At once, since each waits for the longer limit of those who have nothing to fall back on.
    for (const answer of await Promise.all(unknown.map((params) => asked.resolve(params)))) {
      const error = refused(answer, 'REGISTRY_UNREACHABLE');
      assert.match(error.message, /not known here, so nothing was made/);
      assert.ok(!JSON.stringify(error).includes(known.databaseName));
    }
    assert.equal(await readFile(file, 'utf8'), text);
    assert.deepEqual((await asked.syncStatus()).pending, []);
  }

  it('S4: a known project is answered from memory and an unknown one refused, when the port is closed', async () => {
    await proxy.close();
    await assertKnown(engine);
    await assertUnknown(engine);
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(await fixture.databases(), [known.databaseName]);
    assert.equal((await fixture.sql('select 1 from projects')).length, 1);
  });

  it('S4: so it is when packets are dropped, and the server is asked again without a restart', async () => {
    fallSilent();
    await assertKnown(engine);
    await assertUnknown(engine);
    speakAgain();
    // What was held back is still delivered, to connections that nobody waits for any more.
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).id, known.id);
    assert.deepEqual([answer.stale, answer.warnings], [false, []]);
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(await fixture.databases(), [known.databaseName]);
  });

  it('S4: so it is after a restart, from what the daemon wrote down', async () => {
    await engine.close();
    await proxy.close();
    const restarted = await throughProxy(stateFolder);
    await assertKnown(restarted);
    await assertUnknown(restarted);
    const elsewhere = await throughProxy(await fixture.stateFolder());
    refused(await elsewhere.resolve({ directory: folder }), 'REGISTRY_UNREACHABLE');
  });

  it('S4: a connection that breaks between two requests is no outage', async () => {
    proxy.cut();
    await proxy.empty();
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).id, known.id);
    assert.equal(answer.stale, false);
  });

  it('R9: memory answers no caller who expects another project', async () => {
    await proxy.close();
    for (const params of [{ directory: folder }, { project: 'known' }]) {
      const answer = await engine.resolve({ ...params, expect: 'another' });
      assert.match(refused(answer, 'PROJECT_MISMATCH').message, /"another"/);
      assert.equal(path(answer).at(-1), 'project' in params ? 'explicit failed' : 'config failed');
      assertStale(await engine.resolve({ ...params, expect: known.id }), 'project' in params ? 1 : 2);
    }
  });

  it('R7: memory answers no other explicit project where the folder is strict', async () => {
    const strict = await fixture.folder();
    await fixture.config(strict, { version: '1.0', project: { name: 'strict' }, strict_mode: true });
    resolved(await engine.resolve({ directory: strict }));
    await proxy.close();
    refused(await engine.resolve({ directory: strict, project: 'known' }), 'PROJECT_MISMATCH');
    assert.equal(resolved(await engine.resolve({ directory: strict, project: 'strict' })).name, 'strict');
  });

  it('R9: a pending project is not taken for another folder’s project of the same name', async () => {
    await fixture.sql(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    const pending = resolved(await engine.createProject({ name: 'wanted' }));
    const withId = await fixture.folder();
    await fixture.config(withId, { version: '1.0', project: { name: 'wanted', id: randomUUID() } });
    const byName = await fixture.folder();
    await fixture.config(byName, { version: '1.0', project: { name: 'wanted' } });
    fallSilent();
    const asked = [withId, byName].map((directory) => engine.resolve({ directory }));
    for (const answer of await Promise.all(asked)) refused(answer, 'REGISTRY_UNREACHABLE');
    // Who names it means it.
    assert.equal(resolved(await engine.resolve({ project: 'wanted' })).id, pending.id);
    speakAgain();
  });

  it('a project that was forgotten is not remembered', async () => {
    await engine.forgetProject({ project: known.id });
    await engine.close();
    await proxy.close();
    const restarted = await throughProxy(stateFolder);
    for (const params of [{ directory: folder }, { project: known.id }]) {
      refused(await restarted.resolve(params), 'REGISTRY_UNREACHABLE');
    }
  });

  it('a damaged memory is as good as none, and no obstacle', async () => {
    await engine.close();
    await writeFile(join(stateFolder, 'known.json'), '{"version": 1, "registry": ');
    const restarted = await throughProxy(stateFolder);
    assert.equal(resolved(await restarted.resolve({ directory: folder })).id, known.id);
    await proxy.close();
    assertStale(await restarted.resolve({ directory: folder }), 2);
  });
});
