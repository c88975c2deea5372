import * as z from 'zod';
import { resolutionAnswer } from '../answers.ts';
import { defineTool } from '../defineTool.ts';
import { knownProject, withResolution } from '../schemas.ts';
import { settling } from '../toolModel.ts';

export const updateProject = defineTool({
  name: 'update_project',
  title: 'Rename project',
  description: 'Gives a project another name, in the registry and in its folder’s config file. Its database stays.',
  input: z.strictObject({ project: knownProject, name: z.string().describe('The new name.') }),
  output: withResolution(),
  annotations: settling,
  async handler({ project, name }, { api }) {
    return resolutionAnswer(await api.renameProject({ project, name }), null);
  },
});
