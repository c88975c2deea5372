import assert from 'node:assert/strict';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, resolved } from './fakeCli.ts';

const origin = 'git.example/acme/shop';

function notConfirmed(): never {
  throw new RegistrarError({
    code: 'CONFIRMATION_REQUIRED',
    message: `"shop" belongs to ${origin}; this folder has no origin, and would share its database. Nothing was done.`,
    hint: `registrar use shop --confirm ${origin}`,
    details: { origin },
  });
}

function nameInvalid(): never {
  const message = '"shop.example" cannot be a project\'s name. Nothing was made.';
  const details = { proposal: 'shop-example' };
  throw new RegistrarError({ code: 'NAME_INVALID', message, hint: 'For example: shop-example', details });
}

describe('binding a folder', () => {
  it('takes the folder’s name for a project that is not named', async () => {
    const run = await cli(['init'], { api: { createProject: async () => resolved } });
    assert.deepEqual(run.calls[1], ['createProject', { name: 'shop', directory: '/home/a/shop' }]);
    const local = await cli(['init', 'shop-2', '--local']);
    assert.deepEqual(local.calls[1], ['createProject', { name: 'shop-2', directory: '/home/a/shop', local: true }]);
  });

  it('proposes a name that can be used, as the command that was typed', async () => {
    const run = await cli(['init', '--directory', '/w/shop.example', '--local'], {
      api: { createProject: async () => nameInvalid() },
    });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /\n {2}next: registrar init shop-example --local --directory \/w\/shop\.example\n$/);
  });

  it('names, without a terminal, the whole command that shares a database across repositories', async () => {
    const run = await cli(['use', 'shop', '--local', '--directory', '/w/copy'], {
      api: { useProject: async () => notConfirmed() },
    });
    assert.equal(run.status, 1);
    assert.equal(
      run.stderr,
      `connecting…\nCONFIRMATION_REQUIRED: "shop" belongs to ${origin}; this folder has no origin, and would share its database. Nothing was done.\n` +
        `  next: registrar use shop --local --directory /w/copy --confirm ${origin}\n`,
    );
    const wrong = await cli(['use', 'shop', '--confirm', 'x'], { api: { useProject: async () => notConfirmed() } });
    assert.match(wrong.stderr, /\n {2}next: registrar use shop --confirm git\.example\/acme\/shop\n$/);
  });

  it('leaves other refusals as they are', async () => {
    const gone = new RegistrarError({ code: 'PROJECT_NOT_FOUND', message: 'No.', hint: 'Look.' });
    for (const argv of [
      ['use', 'shop'],
      ['init', 'shop'],
    ]) {
      const api = { useProject: () => Promise.reject(gone), createProject: () => Promise.reject(gone) };
      assert.equal((await cli(argv, { api })).stderr, 'connecting…\nPROJECT_NOT_FOUND: No.\n  next: Look.\n');
    }
  });
});
