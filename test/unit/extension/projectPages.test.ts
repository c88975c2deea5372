import assert from 'node:assert/strict';
import type { ListParams } from '../../../daemon/protocol/methods.ts';
import type { ProjectPage } from '../../../daemon/protocol/model.ts';
import { ProjectPages } from '../../../extension/views/projectPages.ts';
import { shop } from '../cli/fakeCli.ts';
import { resolutions, windowOn } from './windowStates.ts';

/** A registry of 10,000, which remembers what it was asked. */
function registry(): { asked: ListParams[]; list: (params: ListParams) => Promise<ProjectPage> } {
  const names = Array.from({ length: 10_000 }, (_, index) => `project-${String(index).padStart(5, '0')}`);
  const asked: ListParams[] = [];
  return {
    asked,
    list: async (params) => {
      asked.push(params);
      const found = names.filter((name) => name.includes(params.query ?? '') && name > (params.cursor ?? ''));
      const page = found.slice(0, params.limit).map((name) => ({ ...shop, id: name, name }));
      return { projects: page, nextCursor: found.length > page.length ? (page.at(-1)?.name ?? null) : null };
    },
  };
}

describe('the list of all projects', () => {
  it('is read a page at a time, only when somebody looks', async () => {
    const { asked, list } = registry();
    const pages = new ProjectPages(list);
    assert.equal(asked.length, 0);
    const first = await pages.nodes('');
    assert.equal(first.length, 201);
    assert.equal(first.at(-1)?.context, 'more');
    await pages.nodes('');
    assert.equal(asked.length, 1);
    pages.wantMore();
    const more = await pages.nodes('');
    assert.equal(more.length, 401);
    assert.equal(more[200]?.label, 'project-00200');
    assert.equal(asked.length, 2);
  });

  it('is searched by the registry, and says when nothing is found', async () => {
    const { asked, list } = registry();
    const pages = new ProjectPages(list);
    assert.deepEqual(
      (await pages.nodes('00042')).map(({ label }) => label),
      ['project-00042'],
    );
    assert.equal(asked[0]?.query, '00042');
    pages.reset();
    assert.deepEqual(
      (await pages.nodes('nowhere')).map(({ label }) => label),
      ['None'],
    );
  });

  it('is read again when the registry may have other projects, and not for every snapshot', async () => {
    const { asked, list } = registry();
    const pages = new ProjectPages(list);
    pages.noticeChange(windowOn(resolutions.ready).snapshot);
    await pages.nodes('');
    pages.noticeChange(windowOn(resolutions.ready, { revision: 2 }).snapshot);
    await pages.nodes('');
    assert.equal(asked.length, 1);
    pages.noticeChange(windowOn(resolutions.ready, { projects: 24 }).snapshot);
    await pages.nodes('');
    assert.equal(asked.length, 2);
  });

  it('shows nothing of an answer that a change has overtaken', async () => {
    const waiting: (() => void)[] = [];
    const { list } = registry();
    const pages = new ProjectPages(async (params) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return list(params);
    });
    const nodes = pages.nodes('00042');
    pages.reset();
    waiting.shift()?.();
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    waiting.shift()?.();
    assert.equal((await nodes).length, 1);
  });
});
