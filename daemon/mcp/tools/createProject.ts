import * as z from 'zod';
import { named } from '../../protocol/visibleText.ts';
import { resolutionAnswer } from '../answers/answers.ts';
import { usableDirectory } from '../bindings.ts';
import { defineTool } from './defineTool.ts';
import { withResolution } from '../answers/schemas.ts';
import { noDirectory } from './setWorkingDirectory.ts';

export const createProject = defineTool({
  name: 'create_project',
  title: 'Create project',
  description:
    'Creates a project and its database and, given a directory, the config file that binds it to the project. Ask the user ' +
    'first. A name that is taken is refused.',
  input: z.strictObject({
    name: z.string().describe('1 to 255 of letters, digits, space, - and _.'),
    description: z.string().nullish(),
    directory: z.string().min(1).nullish().describe('Absolute path of the folder that gets the config file.'),
  }),
  output: withResolution(),
  async handler({ name, description, directory: given }, call) {
    const directory = given == null ? null : usableDirectory(given, call.home);
    if (given != null && directory === null) throw noDirectory(given);
    call.progress(`creating project ${named(name)} and its database`);
    const resolution = await call.api.createProject(
      { name, description: description ?? null, directory },
      call.progress,
    );
    return resolutionAnswer(resolution, directory === null ? null : 'argument');
  },
});
