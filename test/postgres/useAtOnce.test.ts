import assert from 'node:assert/strict';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved } from '../support/resolutionAssertions.ts';

describe('folders that people bind at once', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  it('I2: are all kept on the row, whichever daemon bound them', async () => {
    const own = await fixture.folder();
    await fixture.origin(own, 'https://example.com/acme/shop.git');
    await fixture.config(own, { version: '1.0', project: { name: 'shop' } });
    const project = resolved(await (await fixture.engine()).resolve({ directory: own }));
    const folders = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const folder = await fixture.folder();
        await fixture.origin(folder, `https://example.com/someone${index}/shop.git`);
        return folder;
      }),
    );
    const answers = await Promise.all(
      folders.map(async (directory) => {
        const engine = await fixture.engine();
        return engine.useProject({ project: project.id, directory, confirm: 'example.com/acme/shop' });
      }),
    );
    for (const answer of answers) assert.equal(resolved(answer).id, project.id);
    const row = await fixture.row(project.id);
    const { registrar } = row?.['metadata'] as { registrar: { evidence: { claims: { path: string }[] } } };
    assert.deepEqual(registrar.evidence.claims.map(({ path }) => path).sort(), folders.sort());
  });
});
