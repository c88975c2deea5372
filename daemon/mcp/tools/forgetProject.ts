import * as z from 'zod';
import { named } from '../../protocol/visibleText.ts';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { knownProject, listedProject, orError } from '../answers/schemas.ts';

export const forgetProject = defineTool({
  name: 'forget_project',
  title: 'Forget project',
  description:
    'Removes a project from the registry. Its database and data stay, and it can be adopted again. Ask the user first.',
  input: z.strictObject({ project: knownProject }),
  output: orError(z.looseObject({ project: listedProject, databaseName: z.string() })),
  async handler({ project }, { api }) {
    const forgotten = await api.forgetProject({ project });
    const { name } = forgotten.project;
    return done(forgotten, `Forgotten: ${named(name)}. Its data is still in ${named(forgotten.databaseName)}.`);
  },
});
