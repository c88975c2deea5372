import assert from 'node:assert/strict';
import type { UseParams } from '../../../daemon/protocol/methods.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { bindFolder, type OriginQuestion } from '../../../extension/commands/bindFolder.ts';
import { conflictChoice } from '../../../extension/views/conflictChoice.ts';
import { resolved } from '../cli/fakeCli.ts';
import { folder, resolutions } from './windowStates.ts';

const origin = 'git.example/acme/shop';
const params: UseParams = { project: 'shop', directory: '/home/a/shop' };

function notConfirmed(details: Record<string, unknown> = { origin, project: { name: 'shop' } }): RegistrarError {
  const message = `"shop" belongs to ${origin}; this folder has no origin, and would share its database. Nothing was done.`;
  return new RegistrarError({ code: 'CONFIRMATION_REQUIRED', message, hint: 'registrar use shop', details });
}

/** A daemon that wants the origin typed, and a person who answers the question with these, one after the other. */
function fakes(answers: readonly string[]) {
  const asked: UseParams[] = [];
  const questions: OriginQuestion[] = [];
  const problems: string[] = [];
  const use = async (given: UseParams): Promise<Resolution> => {
    asked.push(given);
    if (given.confirm?.trim() !== origin) throw notConfirmed();
    return resolved;
  };
  const ask = async (question: OriginQuestion): Promise<Resolution | null> => {
    questions.push(question);
    for (const answer of answers) {
      const checked = await question.check(answer);
      if ('value' in checked) return checked.value;
      problems.push(checked.problem);
    }
    return null;
  };
  return { asked, questions, problems, use, ask };
}

describe('binding a folder to a project of another repository', () => {
  it('asks nothing where the folder is one of the project’s own', async () => {
    const { questions, ask } = fakes([]);
    assert.equal(await bindFolder(params, async () => resolved, ask), resolved);
    assert.deepEqual(questions, []);
  });

  it('asks for the project’s origin, says whose it is, and hands on what was typed', async () => {
    const { asked, questions, use, ask } = fakes([origin]);
    assert.equal(await bindFolder({ ...params, local: true }, use, ask), resolved);
    assert.equal(
      questions[0]?.prompt,
      `"shop" belongs to ${origin}; this folder has no origin, and would share its database. To share it, type the origin of that project’s repository.`,
    );
    assert.deepEqual(asked, [
      { ...params, local: true },
      { ...params, local: true, confirm: origin },
    ]);
  });

  it('keeps the question open with what is wrong until the origin is right', async () => {
    const { asked, problems, use, ask } = fakes(['', 'yes', origin]);
    assert.equal(await bindFolder(params, use, ask), resolved);
    assert.deepEqual(problems, [
      'Type the origin of that project’s repository, or press Escape to change nothing.',
      'That is not the project’s origin, which is git.example/acme/shop. Nothing was done.',
    ]);
    // Nothing typed is not asked about.
    assert.deepEqual(
      asked.map(({ confirm }) => confirm),
      [undefined, 'yes', origin],
    );
  });

  it('changes nothing when the question is left', async () => {
    const { asked, use, ask } = fakes([]);
    assert.equal(await bindFolder(params, use, ask), null);
    assert.deepEqual(asked, [params]);
  });

  it('passes on what is no such question, before it and in it', async () => {
    const { ask } = fakes([origin]);
    const gone = new RegistrarError({ code: 'PROJECT_NOT_FOUND', message: 'There is none.', hint: 'Look.' });
    await assert.rejects(() => bindFolder(params, () => Promise.reject(gone), ask), gone);
    const other = notConfirmed({});
    await assert.rejects(() => bindFolder(params, () => Promise.reject(other), ask), other);
    const use = (given: UseParams): Promise<Resolution> =>
      Promise.reject(given.confirm === undefined ? notConfirmed() : gone);
    await assert.rejects(() => bindFolder(params, use, ask), gone);
  });

  it('lets the origin’s text act as no link in the question', async () => {
    const { questions, ask } = fakes([]);
    const message = '"shop" belongs to [x](command:evil); this folder has no origin. Nothing was done.';
    const error = new RegistrarError({
      code: 'CONFIRMATION_REQUIRED',
      message,
      hint: '',
      details: { origin: '[x](command:evil)' },
    });
    await bindFolder(params, () => Promise.reject(error), ask);
    assert.doesNotMatch(questions[0]?.prompt ?? '', /\]\(/);
  });
});

describe('what a conflict offers', () => {
  it('a name for a database of its own, and the project whose database it may share', () => {
    assert.deepEqual(conflictChoice(resolutions.conflict, folder), {
      directory: folder.path,
      share: { project: '1f2e3d4c-0000-4000-8000-000000000001', local: false },
      proposal: 'shop-eve',
    });
  });

  it('the folder whose config it is, where that is above the window’s, and the window’s where it is beside it', () => {
    const inside = { name: 'api', path: '/home/a/shop/api' };
    assert.equal(conflictChoice(resolutions.conflict, inside).directory, '/home/a/shop');
    const beside = { name: 'shop-fix', path: '/home/a/shop-fix' };
    assert.equal(conflictChoice(resolutions.conflict, beside).directory, '/home/a/shop-fix');
  });

  it('to bind again on this machine what was bound so', () => {
    assert.deepEqual(conflictChoice(resolutions.takenOver, folder).share, { project: 'shop', local: true });
  });

  it('no name of its own where only the config can settle it', () => {
    assert.equal(conflictChoice(resolutions.contradiction, folder).proposal, null);
    assert.deepEqual(conflictChoice(resolutions.contradiction, folder).share, {
      project: '1f2e3d4c-0000-4000-8000-000000000001',
      local: false,
    });
    assert.equal(conflictChoice(resolutions.ready, folder).share, null);
  });
});
