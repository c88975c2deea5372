import { configJsonSchema } from '../../daemon/config/configSchema.ts';
import { shapeOf, type JsonSchema } from './jsonSchema.ts';
import { code, jsonCode, table } from './markdown.ts';

export function configPage(): string {
  return [
    '# The config file',
    'A folder claims its project in `.codebase-mcp/config.json`. Registrar looks for the file in the folder and upward, up to ' +
      'the folder that contains `.git`; never in your home folder or the root, and at most 20 levels. A ' +
      'worktree without its own file uses its main worktree’s. The file is JSON; comments, trailing commas and a byte order ' +
      'mark are allowed. Registrar keeps and ignores keys that are not listed here.',
    '```json\n{ "version": "1.0", "project": { "name": "shop" } }\n```',
    table(['key', 'type', 'default', 'meaning'], rows(configJsonSchema(), '')),
    'A file that cannot be used is an error with line and column, and Registrar tries no other source. Only ' +
      '`project.id` and `project.name` are ever written, with everything around them left as it was. The schema is ' +
      '[media/config.schema.json](../../media/config.schema.json); VS Code checks and completes with it.',
  ].join('\n\n');
}

function rows(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    if (property.properties) return rows(property, `${key}.`);
    const isRequired = schema.required?.includes(name) ?? false;
    const otherwise = property.default === undefined ? (isRequired ? 'required' : '') : jsonCode(property.default);
    return [[code(key), code(shapeOf(property)), otherwise, property.description ?? '']];
  });
}
