import assert from 'node:assert/strict';
import { asServerTrouble } from '../../../daemon/postgres/connection/serverTrouble.ts';
import { RegistryText } from '../../../daemon/postgres/registry/registryText.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { assertAgreement, resolved, warningCodes } from '../../support/resolutionAssertions.ts';

/** Of one byte each, so that a table of ours says what they have. */
const encodings = [
  ...['LATIN1', 'LATIN2', 'LATIN3', 'LATIN4', 'LATIN5', 'LATIN9', 'ISO_8859_5', 'ISO_8859_7', 'KOI8R'],
  ...['WIN1250', 'WIN1251', 'WIN1252', 'WIN1253', 'WIN1254', 'WIN1257'],
];

describe('a server whose encoding is LATIN1', function () {
  this.timeout(120_000);
  let server: OwnServer;
  let fixture: RegistryFixture;

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start({ encoding: 'LATIN1' });
  });
  after(async () => {
    // Not there where nothing was run.
    await (server as OwnServer | undefined)?.close();
  });
  beforeEach(async () => {
    fixture = await registryFixture(server);
  });
  afterEach(() => fixture.close());

  const encodingOf = async (database: string): Promise<unknown> => {
    const text = `select pg_encoding_to_char(encoding) as encoding from pg_database where datname = '${database}'`;
    return (await server.sql(text))[0]?.['encoding'];
  };

  /** As somebody else made it, before Registrar came. */
  const makeRegistry = async (): Promise<void> => {
    await server.sql(`create database ${fixture.registry}`);
    assert.equal(await encodingOf(fixture.registry), 'LATIN1');
  };

  it('gets a registry in UTF8, which stores every description', async () => {
    const engine = await fixture.engine();
    const made = await engine.createProject({ name: 'shop', description: 'Läden 日本 🛒' });
    assert.equal(made.sync?.state, 'synced');
    assert.equal(await encodingOf(fixture.registry), 'UTF8');
    assert.equal((await fixture.row('shop'))?.['description'], 'Läden 日本 🛒');
  });

  it('stores in a registry that is LATIN1 what that lacks as references, and reads them back', async () => {
    await makeRegistry();
    const engine = await fixture.engine();
    const folder = await fixture.folder('仕事 é');
    await fixture.origin(folder, 'https://git.example/日本/shop.git');
    await fixture.config(folder, { version: '1.0', project: { name: 'shop' }, description: 'Läden 日本 🛒 &#x41;' });

    const first = await engine.resolve({ directory: folder });
    const project = resolved(first);
    assert.deepEqual(warningCodes(first), []);
    assert.equal(first.sync?.state, 'synced');
    assert.equal(project.description, 'Läden 日本 🛒 &#x41;');
    assert.equal((await fixture.row('shop'))?.['description'], 'Läden &#x65e5;&#x672c; &#x1f6d2; &#x26;#x41;');
    await engine.close();

    // Everything that the second daemon compares came through the registry.
    const other = await fixture.engine();
    const again = await other.resolve({ directory: folder });
    assert.equal(resolved(again).id, project.id);
    assert.deepEqual(warningCodes(again), []);
    const changed = await other.updateProject({ project: 'shop', name: 'store', description: '店 – open' });
    assert.equal(changed.project?.description, '店 – open');
    const [listed] = (await other.listProjects({ query: 'store' })).projects;
    assert.equal(listed?.description, '店 – open');
    assert.deepEqual((await other.listProjects({ query: '店' })).projects, []);
    assert.deepEqual((await other.drift()).findings, []);
  });

  it('keeps as it is every character that the registry’s encoding has, whichever that is', async () => {
    const all = Array.from({ length: 0x10000 - 0xa0 }, (_, index) => String.fromCharCode(0xa0 + index)).join('');
    for (const encoding of encodings) {
      const database = `${fixture.registry}_${encoding.toLowerCase()}`;
      await server.sql(`create database ${database} template template0 encoding '${encoding}'`);
      const text = new RegistryText();
      text.encoding = encoding;
      const kept = all.split('').filter((character) => text.stored(character) === character);
      assert.ok(kept.length > 80, `${encoding}: ${String(kept.length)}`);
      const [row] = await server.sql(`select '${kept.join('')}' as kept`, database);
      assert.equal(row?.['kept'], kept.join(''), encoding);
      await server.sql(`drop database ${database}`);
    }
  });

  it('has a code and words of its own for what cannot be stored all the same', async () => {
    await makeRegistry();
    const refusal: unknown = await server.sql(`select convert_from('\\xe697a5', 'UTF8')`, fixture.registry).then(
      () => null,
      (error: unknown) => error,
    );
    assert.equal((refusal as { code?: string }).code, '22P05');
    const trouble = asServerTrouble(refusal);
    assert.ok(trouble instanceof RegistrarError);
    assert.equal(trouble.code, 'REGISTRY_SCHEMA');
    assert.equal(trouble.message, 'registry’s encoding lacks a character (22P05)');
  });

  it('takes text that is none, such as half a character, in a registry of any encoding', async () => {
    for (const isTheirs of [true, false]) {
      if (isTheirs) await makeRegistry();
      const engine = await fixture.engine();
      const made = await engine.createProject({ name: 'odd', description: 'a\ud83db' });
      assert.equal(made.sync?.state, 'synced', JSON.stringify(made.sync));
      assert.equal((await engine.listProjects({ query: 'odd\0' })).projects.length, 0);
      await fixture.close();
      fixture = await registryFixture(server);
    }
  });

  it('delivers what waited in the outbox', async () => {
    await makeRegistry();
    const engine = await fixture.engine();
    await engine.listProjects({});
    await fixture.sql('alter table projects add constraint nothing check (false) not valid');
    const waiting = [await fixture.folder('仕事'), await fixture.folder('plain')];
    for (const [index, folder] of waiting.entries()) {
      const description = index === 0 ? '店' : 'none of it';
      await fixture.config(folder, { version: '1.0', project: { name: `shop ${String(index)}` }, description });
      assert.notEqual((await engine.resolve({ directory: folder })).sync?.state, 'synced');
    }
    await fixture.sql('alter table projects drop constraint nothing');
    const status = await engine.syncNow();
    assert.deepEqual([status.pending, status.parked], [[], []]);
    for (const folder of waiting)
      await assertAgreement(fixture, resolved(await engine.resolve({ directory: folder })), folder);
  });
});
