import * as z from 'zod';
import { visible } from '../../protocol/visibleText.ts';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { orError, repairResult } from '../answers/schemas.ts';

export const repairDrift = defineTool({
  name: 'repair_drift',
  title: 'Repair drift',
  description:
    'Applies the automatic actions of the plan that check_drift gave. They destroy no data, except that they finish a drop that ' +
    'has already begun. Refused if anything has changed since. Ask the user first.',
  input: z.strictObject({ planId: z.string().describe('From check_drift.') }),
  output: orError(repairResult),
  async handler({ planId }, call) {
    call.progress('applying the plan');
    const result = await call.api.repair({ planId }, call.progress);
    const count = `${result.applied.length} applied, ${result.skipped.length} skipped, ${result.failed.length} failed.`;
    const failed = result.failed.map(
      ({ description, error }) => `- ${visible(description)}: ${visible(`${error.message} ${error.hint}`)}`,
    );
    return done(result, [count, ...failed].join('\n'));
  },
});
