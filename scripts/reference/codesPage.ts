import { errorCodes, warningCodes } from '../../daemon/protocol/codes.ts';
import { errorTexts, warningTexts, type CodeText } from './codeTexts.ts';
import { code, table } from './markdown.ts';

export function codesPage(): string {
  return [
    '# Codes',
    'Every failure has one of these codes, a message that says what happened, and a hint that says what to do. The set is ' +
      'closed: programs may match on it. In a terminal the code stands before the message; with `--json` and for agents ' +
      'it is `error.code`; a warning beside a valid answer has `warnings[].code`.',
    '## Errors',
    codeTable(errorCodes, errorTexts),
    '## Warnings',
    codeTable(warningCodes, warningTexts),
    '## Exit status of the command',
    table(
      ['status', 'meaning'],
      [
        ['0', 'done'],
        ['1', 'refused or unresolved'],
        ['2', 'wrong usage'],
        ['3', 'daemon or PostgreSQL unreachable'],
      ],
    ),
    '`registrar exec` ends with the status of the command that it ran, with 127 if there is no such command, and with 126 if it cannot be run.',
  ].join('\n\n');
}

function codeTable<Code extends string>(codes: readonly Code[], texts: Record<Code, CodeText>): string {
  return table(
    ['code', 'what happened', 'what to do'],
    codes.map((name) => [code(name), texts[name].cause, texts[name].remedy]),
  );
}
