import assert from 'node:assert/strict';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

describe('creating a project from a config file', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  it('C1: makes row, database, marker and config id once, and finds them by directory, id and name', async () => {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'shop' } });

    const first = await engine.resolve({ directory: folder });
    assert.equal(first.outcome, 'resolved', JSON.stringify(first.error));
    assert.deepEqual(path(first), ['explicit skipped', 'config matched', 'identity matched']);
    assert.equal(first.created, true);
    assert.deepEqual(first.warnings, []);
    const id = first.project?.id ?? '';
    assert.match(first.project?.databaseName ?? '', /^cb_proj_shop_[0-9a-f]{8}$/);
    assert.equal((await fixture.readConfig(folder)).project.id, id);
    assert.equal((await fixture.marker(first.project?.databaseName ?? ''))?.projectId, id);
    assert.equal((await fixture.row('shop'))?.['id'], id);

    fixture.spy.take();
    for (const params of [{ directory: folder }, { project: id }, { project: 'shop' }]) {
      const again = await engine.resolve(params);
      assert.equal(again.project?.id, id);
      assert.equal(again.created, false);
    }
    assert.deepEqual(
      fixture.spy.take().filter((sql) => /create|insert|update|comment/i.test(sql)),
      [],
    );
  });
});
