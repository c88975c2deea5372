import { settingsJsonSchema } from '../../daemon/stateFolder/settingsFile.ts';
import texts from '../../package.nls.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { shapeOf, type JsonSchema } from './jsonSchema.ts';
import { textOf } from './manifestText.ts';
import { code, jsonCode, table } from './markdown.ts';

interface Setting extends JsonSchema {
  scope?: string;
  markdownDescription?: string;
}

export function settingsPage(): string {
  const settings = Object.entries(manifest.contributes.configuration.properties) as [string, Setting][];
  const file = settingsJsonSchema() as JsonSchema;
  return [
    '# Settings',
    '## In VS Code',
    'Those with the scope `machine` count for the machine on which the folder is, and no workspace can change them.',
    table(
      ['setting', 'type', 'default', 'scope', 'meaning'],
      settings.map(([name, setting]) => [
        code(name),
        code(shapeOf(setting)),
        jsonCode(setting.default),
        setting.scope ?? 'window',
        textOf(setting.markdownDescription ?? setting.description ?? '', texts),
      ]),
    ),
    '## `settings.json` of the state folder',
    'What counts for every window, terminal and agent of this user. `registrar status` names the folder; `registrar ' +
      'postgres` and `registrar trust` write it, and what you write by hand counts without a restart. Other keys are kept.',
    table(
      ['key', 'type', 'default', 'meaning'],
      Object.entries(file.properties ?? {}).map(([name, property]) => [
        code(name),
        code(shapeOf(property).replaceAll(/\s*\n\s*/g, ' ')),
        jsonCode(property.default),
        property.description ?? '',
      ]),
    ),
    '## Environment',
    table(
      ['variable', 'meaning'],
      [
        [
          code('REGISTRAR_DATABASE_URL'),
          'the PostgreSQL server, before every setting; the only address that may hold a password',
        ],
        [code('REGISTRAR_HOME'), 'the state folder, absolute, instead of the platform’s'],
        [code('REGISTRAR_MCP_TOKEN'), 'where an agent takes the token from that `connect --http` could not write'],
        [code('NO_COLOR'), 'no colours in the terminal'],
        [
          '`PGPASSWORD`, `PGPASSFILE`, `PGSERVICE` …',
          'as every PostgreSQL program reads them, where the address leaves something open',
        ],
      ],
    ),
    'The address that is set first counts: `--database-url`, `REGISTRAR_DATABASE_URL`, the VS Code setting, ' +
      '`registrar postgres`. It may have several hosts, `target_session_attrs`, `sslmode` as libpq means it, and unix ' +
      'sockets; parameters that are not known are errors. The database that it names holds the registry; none, `postgres` ' +
      'or `template1` mean `codebase_mcp_registry`.',
  ].join('\n\n');
}
