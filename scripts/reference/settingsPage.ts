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
    'Settings with the scope `machine` apply to the machine that the folder is on, and no workspace can change them.',
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
    'These settings apply to every window, terminal and agent of this user. `registrar status` names the folder; `registrar ' +
      'postgres` and `registrar trust` write the file. You can also edit it; no restart is needed. Other keys are kept.',
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
          'the PostgreSQL server; overrides every setting, and is the only address that may contain a password',
        ],
        [code('REGISTRAR_HOME'), 'the absolute path of the state folder, instead of the platform’s'],
        [code('REGISTRAR_MCP_TOKEN'), 'the token for an agent, if `connect --http` could not write it'],
        [code('NO_COLOR'), 'no colors in the terminal'],
        [
          '`PGPASSWORD`, `PGPASSFILE`, `PGSERVICE` …',
          'read as every PostgreSQL program does, for what the address leaves open',
        ],
      ],
    ),
    'The first address that is set counts: `--database-url`, `REGISTRAR_DATABASE_URL`, the VS Code setting, ' +
      '`registrar postgres`. It may have several hosts, `target_session_attrs`, `sslmode` as libpq means it, and unix ' +
      'sockets; unknown parameters are errors. The database that it names contains the registry; none, `postgres` ' +
      'or `template1` mean `codebase_mcp_registry`.',
  ].join('\n\n');
}
