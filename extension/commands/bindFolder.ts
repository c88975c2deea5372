import type { UseParams } from '../../daemon/protocol/methods.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { messageText } from '../views/inertText.ts';
import type { Checked, Step } from './askStep.ts';

export type OriginQuestion = Pick<Step<Resolution>, 'prompt' | 'check'>;

/**
 * Binds a folder to a project. If the project belongs to another repository, the daemon requires its origin: a person
 * who types it knows whose database it is, which a click would not prove.
 *
 * @param use asks the daemon
 * @param ask gives null when the question was left; nothing is changed then
 * @throws RegistrarError whatever else the daemon refuses, before the question or in it
 */
export async function bindFolder(
  params: UseParams,
  use: (params: UseParams) => Promise<Resolution>,
  ask: (question: OriginQuestion) => Promise<Resolution | null>,
): Promise<Resolution | null> {
  try {
    return await use(params);
  } catch (error) {
    if (!wantsOrigin(error)) throw error;
    const whose = error.message.replace(/ Nothing was done\.$/, '');
    return ask({
      prompt: messageText(`${whose} To share it, type the origin of that project’s repository.`),
      check: (typed) => tryOrigin(params, use, typed),
    });
  }
}

async function tryOrigin(
  params: UseParams,
  use: (params: UseParams) => Promise<Resolution>,
  typed: string,
): Promise<Checked<Resolution>> {
  if (typed.trim() === '') {
    return { problem: 'Type the origin of that project’s repository, or press Escape to change nothing.' };
  }
  try {
    return { value: await use({ ...params, confirm: typed }) };
  } catch (error) {
    if (!wantsOrigin(error)) throw error;
    // The question is hidden by what is wrong with its answer.
    return {
      problem: messageText(`That is not the project’s origin, which is ${error.details.origin}. Nothing was done.`),
    };
  }
}

function wantsOrigin(error: unknown): error is RegistrarError & { details: { origin: string } } {
  return (
    error instanceof RegistrarError &&
    error.code === 'CONFIRMATION_REQUIRED' &&
    typeof error.details?.['origin'] === 'string'
  );
}
