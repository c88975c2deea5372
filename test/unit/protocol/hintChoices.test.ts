import assert from 'node:assert/strict';
import { hintChoices } from '../../../daemon/protocol/hintChoices.ts';

describe('the ways out that a hint names', () => {
  it('are told apart, each with what it means, so that nothing but a command is pasted', () => {
    assert.deepEqual(
      hintChoices(
        "registrar init shop-2 --local (a database of its own) | registrar use 'my shop' (share it, asks you)",
      ),
      [
        { command: 'registrar init shop-2 --local', why: 'a database of its own' },
        { command: "registrar use 'my shop'", why: 'share it, asks you' },
      ],
    );
    assert.deepEqual(hintChoices('registrar init NAME | registrar use PROJECT'), [
      { command: 'registrar init NAME', why: null },
      { command: 'registrar use PROJECT', why: null },
    ]);
  });

  const sentences = [
    'Wait until that is done.',
    'registrar use shop (share it), or change project.name',
    'registrar projects adopt x brings it back; another project.name starts a new project',
    'registrar trust DIR',
    "registrar trust '/a (b)' (trust it) | registrar trust --list",
    'pg_dump x | psql y',
    '',
  ];
  for (const hint of sentences) {
    it(`are none in ${JSON.stringify(hint)}`, () => {
      assert.deepEqual(hintChoices(hint), []);
    });
  }
});
