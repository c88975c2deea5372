import * as z from 'zod';
import { resolutionAnswer } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { explained, locate } from '../locate.ts';
import { directoryArgument, expectArgument, projectArgument, withResolution } from '../answers/schemas.ts';

export const resolveProject = defineTool({
  name: 'resolve_project',
  title: 'Resolve project',
  description:
    'Says which project, and so which database, your working directory belongs to, and why. Creates the database of a ' +
    'project that the directory’s config file names and that has none yet. Call it first.',
  input: z.strictObject({
    project: projectArgument,
    directory: directoryArgument,
    expect: expectArgument,
    dryRun: z.boolean().nullish().describe('True: only say what would happen.'),
  }),
  output: withResolution(),
  async handler({ dryRun, ...reference }, call) {
    const located = await locate(reference, call);
    if ('unresolved' in located) return resolutionAnswer(located.unresolved, null);
    call.progress('resolving the project');
    const resolution = await call.api.resolve({ ...located.params, dryRun: dryRun ?? false }, call.progress);
    return resolutionAnswer(explained(resolution, located), located.source);
  },
});
