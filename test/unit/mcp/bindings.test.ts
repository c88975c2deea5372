import assert from 'node:assert/strict';
import {
  bind,
  chooseDirectory,
  usableDirectory,
  type Bound,
  type DirectorySources,
} from '../../../daemon/mcp/bindings.ts';

const home = '/home/a';
const nothing: DirectorySources = {
  argument: null,
  bound: [],
  header: null,
  launch: null,
  roots: () => Promise.resolve([]),
  home,
};
const shop: Bound = { directory: '/w/shop', project: { id: '1', name: 'shop' } };
const pay: Bound = { directory: '/w/pay', project: { id: '2', name: 'pay' } };

describe('where a call works', () => {
  const chosen = async (sources: Partial<DirectorySources>): Promise<string> => {
    const choice = await chooseDirectory({ ...nothing, ...sources });
    return choice.kind === 'directory' ? `${choice.source}: ${choice.directory}` : choice.kind;
  };

  it('is said by the argument, the session, the header, the launch, the root or the own folder, in that order', async () => {
    const all: DirectorySources = {
      argument: '/w/argument',
      bound: [shop],
      header: '/w/header',
      launch: { directory: '/w/launch', isNamed: true },
      roots: () => Promise.resolve(['/w/root']),
      home,
    };
    assert.equal(await chosen(all), 'argument: /w/argument');
    assert.equal(await chosen({ ...all, argument: null }), 'session: /w/shop');
    assert.equal(await chosen({ ...all, argument: null, bound: [] }), 'header: /w/header');
    const unnamed = { ...all, argument: null, bound: [], header: null };
    assert.equal(await chosen(unnamed), 'launch: /w/launch');
    const own = { ...unnamed, launch: { directory: '/w/own', isNamed: false } };
    assert.equal(await chosen(own), 'root: /w/root');
    assert.equal(await chosen({ ...own, roots: nothing.roots }), 'cwd: /w/own');
    assert.equal(await chosen({}), 'none');
  });

  it('asks the client for its folders only when nothing before them says anything', async () => {
    let asked = 0;
    const roots = (): Promise<string[]> => {
      asked += 1;
      return Promise.resolve(['/w/root']);
    };
    await chosen({ header: '/w/header', roots });
    assert.equal(asked, 0);
    await chosen({ roots });
    assert.equal(asked, 1);
  });

  it('is nowhere for the root, the home folder and what a client did not replace', async () => {
    for (const text of [
      '/',
      '//',
      '/tmp/..',
      '/home/a',
      '/home/a/',
      '/home/b/../a',
      '${workspaceFolder}',
      '/w/${name}',
    ]) {
      assert.equal(usableDirectory(text, home), null, text);
      assert.equal(await chosen({ header: encodeURIComponent(text), roots: async () => ['/w/root'] }), 'root: /w/root');
    }
    assert.equal(usableDirectory('/w/shop/../pay/', home), '/w/pay');
  });

  it('is not looked for elsewhere when the argument counts as no directory', async () => {
    assert.equal(await chosen({ argument: '/', bound: [shop], header: '/w/header' }), 'none');
  });

  it('decodes the header, and refuses one that is not encoded or a path that is not absolute', async () => {
    assert.equal(await chosen({ header: encodeURIComponent('/w/größe 100%') }), 'header: /w/größe 100%');
    for (const bad of [{ header: '/w/100%' }, { header: 'w/shop' }, { argument: 'shop' }, { argument: '' }]) {
      await assert.rejects(chosen(bad), { code: 'DIRECTORY_INVALID' });
    }
  });

  it('is ambiguous from the second project on that a session was bound to, whatever the header says', async () => {
    const bound = bind(bind([], shop), pay);
    assert.equal(await chosen({ bound, header: '/w/header' }), 'ambiguous');
    assert.equal(await chosen({ bound, argument: '/w/shop' }), 'argument: /w/shop');
    assert.equal(await chosen({ bound: bind(bound, shop) }), 'ambiguous');
  });

  it('is the latest folder while all belong to one project, and counts folders without one apart', async () => {
    const inside = { ...shop, directory: '/w/shop/src' };
    assert.equal(await chosen({ bound: bind(bind([], shop), inside) }), 'session: /w/shop/src');
    const empty: Bound = { directory: '/w/new', project: null };
    assert.equal(await chosen({ bound: bind([], empty) }), 'session: /w/new');
    assert.equal(await chosen({ bound: bind(bind([], shop), empty) }), 'ambiguous');
    // Its project was made meanwhile.
    const made: Bound = { ...empty, project: pay.project };
    assert.equal(await chosen({ bound: bind(bind([], empty), made) }), 'session: /w/new');
  });

  it('keeps a bounded number of folders', () => {
    let bound: ReturnType<typeof bind> = [];
    for (let number = 0; number < 100; number += 1) bound = bind(bound, { directory: `/w/${number}`, project: null });
    assert.equal(bound.length, 20);
    assert.equal(bound.at(-1)?.directory, '/w/99');
  });

  it('stays ambiguous however many folders of one project are bound after that', async () => {
    let bound = bind(bind([], pay), shop);
    for (let number = 0; number < 30; number += 1) bound = bind(bound, { ...shop, directory: `/w/shop/${number}` });
    assert.equal(bound.length, 20);
    assert.equal(await chosen({ bound }), 'ambiguous');
    assert.deepEqual(bound[0], pay);
  });

  it('names several roots, and counts those that are no directory as none', async () => {
    assert.equal(await chosen({ roots: async () => ['/w/a', '/w/b'] }), 'several-roots');
    assert.equal(await chosen({ roots: async () => ['/home/a', '/w/b'] }), 'root: /w/b');
  });
});
