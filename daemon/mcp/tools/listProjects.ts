import * as z from 'zod';
import { named, quoted } from '../../protocol/visibleText.ts';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { listedProject, orError } from '../answers/schemas.ts';

export const listProjects = defineTool({
  name: 'list_projects',
  title: 'List projects',
  description:
    'The projects of the registry, and whether each is registered. Do not choose one from this list: resolve yours.',
  input: z.strictObject({
    query: z.string().nullish().describe('Part of a name, any case.'),
    limit: z.int().min(1).max(1000).nullish().describe('Default 100.'),
    cursor: z.string().nullish().describe('The nextCursor of the previous page.'),
  }),
  output: orError(z.looseObject({ projects: z.array(listedProject), nextCursor: z.string().nullable() })),
  async handler({ query, limit, cursor }, { api }) {
    const page = await api.listProjects({
      query: query ?? null,
      cursor: cursor ?? null,
      ...(limit == null ? {} : { limit }),
    });
    const lines = page.projects.map(({ name, id, databaseName, sync }) => {
      const state = { synced: '', pending: ', not registered yet', parked: ', needs the user' }[sync.state];
      return `${named(name)} (${id}): ${named(databaseName)}${state}`;
    });
    const more = page.nextCursor === null ? [] : [`More: pass cursor ${quoted(page.nextCursor)}.`];
    return done(page, [lines.length === 0 ? 'No projects.' : lines.join('\n'), ...more].join('\n'));
  },
});
