import * as z from 'zod';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { orError, syncStatus as schema } from '../answers/schemas.ts';
import { syncText } from '../answers/syncText.ts';

export const syncStatus = defineTool({
  name: 'sync_status',
  title: 'Sync status',
  description:
    'Projects that the registry does not know yet, those that need the user, and the last success and error.',
  input: z.strictObject({}),
  output: orError(schema),
  async handler(_input, { api }) {
    const status = await api.syncStatus();
    return done(status, syncText(status));
  },
});
