import * as z from 'zod';
import { named } from '../../protocol/visibleText.ts';
import { defineTool } from './defineTool.ts';
import { fenced, notices } from '../answers/fence.ts';
import { onDatabase } from './onDatabase.ts';
import {
  databaseDescription,
  directoryArgument,
  expectArgument,
  orError,
  projectArgument,
  resolution as resolutionSchema,
} from '../answers/schemas.ts';

export const describeDatabase = defineTool({
  name: 'describe_database',
  title: 'Describe database',
  description: 'Tables, columns, keys and sizes of your project’s database.',
  input: z.strictObject({ project: projectArgument, directory: directoryArgument, expect: expectArgument }),
  output: orError(z.looseObject({ resolution: resolutionSchema, description: databaseDescription })),
  handler: (reference, call) =>
    onDatabase(reference, call, async (params) => {
      const { resolution, description } = await call.api.describeDatabase(params, call.signal);
      if (description === null) return { resolution, found: null };
      const { tables, databaseName, truncated } = description;
      const cut = truncated ? ' There are more tables or columns than these.' : '';
      const text = `Project ${named(resolution.project?.name ?? '')}, database ${named(databaseName)}: ${tables.length} tables and views.${cut}`;
      return { resolution, found: { structured: { description }, text: fenced(text, notices.database, tables) } };
    }),
});
