import { controlMethods, factsOf, mayRepeat, type ControlMethod } from '../../daemon/protocol/methods.ts';
import { formerNames } from '../../daemon/protocol/operations.ts';
import { code, table } from './markdown.ts';

/** What can be asked of the daemon, for those who change it. */
export function operationsPage(): string {
  return [
    '# What can be asked of the daemon',
    'Commands and windows ask over the daemon’s pipe, where a method’s name begins with `registrar/`; agents ask by ' +
      '[tools](tools.md). `?` marks a parameter that may be left out.',
    ...controlMethods.map(section),
    '## Former names',
    table(
      ['version 0.1 asks for', 'which is now'],
      Object.entries(formerNames).map(([former, method]) => [code(former), code(method)]),
    ),
  ].join('\n\n');
}

const effects = {
  reads: 'It changes nothing.',
  settles: 'It may make or change something, and finds it done when it is asked again.',
  changes: 'It makes or changes something.',
};

function section(method: ControlMethod): string {
  const { does, params, effect, askedBy, tools = [] } = factsOf(method);
  const given = Object.entries(params ?? {}).map(([name, kind]) => code(`${name}: ${kind}`));
  const again = mayRepeat(method) ? 'Asked again when its answer was lost.' : 'Never asked twice.';
  const who = [...askedBy.map((kind) => `${kind}s`), ...tools.map(code)];
  return [
    `## ${method}`,
    `${does} ${effects[effect]} ${again}`,
    `Given: ${given.length === 0 ? 'nothing' : given.join(', ')}. Asked by: ${who.join(', ')}.`,
  ].join('\n\n');
}
