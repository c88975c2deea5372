import * as z from 'zod';
import { visible } from '../../protocol/visibleText.ts';
import { done } from '../answers/answers.ts';
import { defineTool } from './defineTool.ts';
import { driftReport, orError } from '../answers/schemas.ts';

export const checkDrift = defineTool({
  name: 'check_drift',
  title: 'Check drift',
  description:
    'Says where config files, registry, databases and their markers disagree, what that risks, and what to do.',
  input: z.strictObject({}),
  output: orError(driftReport),
  async handler(_input, call) {
    call.progress('comparing registry, databases and config files');
    const report = await call.api.drift();
    const lines = report.findings.map(({ message, risk }) => `- ${visible(message)} ${visible(risk)}`);
    const head = report.ok
      ? 'No drift.'
      : `Show the user this plan; repair_drift with planId "${report.planId}" applies it.`;
    return done(report, [head, ...lines].join('\n'));
  },
});
