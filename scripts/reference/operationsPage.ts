import { controlMethods, factsOf, mayRepeat, type ControlMethod } from '../../daemon/protocol/methods.ts';
import { formerNames } from '../../daemon/protocol/operations.ts';
import { code, table } from './markdown.ts';

/** What can be asked of the daemon, for those who change it. */
export function operationsPage(): string {
  return [
    '# Operations of the daemon',
    'Commands and windows call these over the daemon’s pipe, where each method’s name begins with `registrar/`; agents use ' +
      '[tools](tools.md). `?` marks an optional parameter.',
    ...controlMethods.map(section),
    '## Former names',
    table(
      ['in version 0.1', 'now'],
      Object.entries(formerNames).map(([former, method]) => [code(former), code(method)]),
    ),
  ].join('\n\n');
}

const effects = {
  reads: 'It changes nothing.',
  ensures: 'It may create or change something; asked again, it finds that done.',
  changes: 'It creates or changes something.',
};

function section(method: ControlMethod): string {
  const { does, params, effect, askedBy, tools = [] } = factsOf(method);
  const given = Object.entries(params ?? {}).map(([name, kind]) => code(`${name}: ${kind}`));
  const again = mayRepeat(method) ? 'Repeated if its answer was lost.' : 'Never repeated.';
  const who = [...askedBy.map((kind) => `${kind}s`), ...tools.map(code)];
  return [
    `## ${method}`,
    `${does} ${effects[effect]} ${again}`,
    `Parameters: ${given.length === 0 ? 'none' : given.join(', ')}. Called by: ${who.join(', ')}.`,
  ].join('\n\n');
}
