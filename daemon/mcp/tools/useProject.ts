import * as z from 'zod';
import { resolutionAnswer } from '../answers/answers.ts';
import { usableDirectory } from '../bindings.ts';
import { defineTool } from './defineTool.ts';
import { knownProject, withResolution } from '../answers/schemas.ts';
import { noDirectory } from './setWorkingDirectory.ts';

export const useProject = defineTool({
  name: 'use_project',
  title: 'Use existing project',
  description:
    'Binds a folder to an existing project for everyone: writes its id and name into the folder’s config file. Ask the ' +
    'user first.',
  input: z.strictObject({
    project: knownProject,
    directory: z.string().min(1).describe('Absolute path of the folder.'),
  }),
  output: withResolution(),
  async handler({ project, directory: given }, call) {
    const directory = usableDirectory(given, call.home);
    if (directory === null) throw noDirectory(given);
    return resolutionAnswer(await call.api.useProject({ project, directory }, call.progress), 'argument');
  },
});
