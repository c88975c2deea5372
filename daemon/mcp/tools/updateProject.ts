import * as z from 'zod';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { resolutionAnswer } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { knownProject, withResolution } from '../answers/schemas.ts';

export const updateProject = defineTool({
  name: 'update_project',
  title: 'Update project',
  description:
    'Renames a project, in the registry and in its folder’s config file, or changes its description. Its database ' +
    'stays.',
  input: z.strictObject({
    project: knownProject,
    name: z.string().nullish().describe('The new name; unchanged if absent.'),
    description: z.string().nullish().describe('The new description, empty for none; unchanged if absent.'),
  }),
  output: withResolution(),
  async handler({ project, name, description }, { api }) {
    if (name == null && description == null) throw nothingToChange();
    const change = {
      ...(name == null ? {} : { name }),
      ...(description == null ? {} : { description: description === '' ? null : description }),
    };
    return resolutionAnswer(await api.updateProject({ project, ...change }), null);
  },
});

function nothingToChange(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: 'Neither a name nor a description was given. Nothing was done.',
    hint: 'Pass name, description, or both.',
  });
}
