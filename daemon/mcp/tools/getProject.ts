import * as z from 'zod';
import { named } from '../../protocol/visibleText.ts';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { knownProject, listedProject, orError } from '../answers/schemas.ts';

export const getProject = defineTool({
  name: 'get_project',
  title: 'Get project',
  description: 'One project of the registry by id or name. Only reads; binds nothing.',
  input: z.strictObject({ project: knownProject }),
  output: orError(listedProject),
  async handler({ project }, { api }) {
    const found = await api.showProject({ project });
    return done(
      found,
      `${named(found.name)} (${found.id}): database ${named(found.databaseName)}, made ${found.createdAt}.`,
    );
  },
});
