import * as z from 'zod';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { orError, syncStatus as schema } from '../answers/schemas.ts';
import { syncText } from '../answers/syncText.ts';

export const syncNow = defineTool({
  name: 'sync_now',
  title: 'Sync now',
  description: 'Registers now what the registry does not know yet, and says what is left.',
  input: z.strictObject({}),
  output: orError(schema),
  async handler(_input, call) {
    call.progress('registering waiting projects');
    const status = await call.api.syncNow();
    return done(status, syncText(status));
  },
});
