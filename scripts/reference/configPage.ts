import { configJsonSchema } from '../../daemon/config/configSchema.ts';
import { shapeOf, type JsonSchema } from './jsonSchema.ts';
import { code, jsonCode, table } from './markdown.ts';

export function configPage(): string {
  return [
    '# The config file',
    'A folder claims its project in `.codebase-mcp/config.json`. It is looked for in the folder itself and upward, until a ' +
      'folder that holds `.git` has been looked in; never in your home folder or the root, and at most 20 levels. A ' +
      'worktree without a file of its own uses its main worktree’s. It is JSON; comments, trailing commas and a byte order ' +
      'mark are fine. Keys that are not listed here are kept and ignored.',
    '```json\n{ "version": "1.0", "project": { "name": "shop" } }\n```',
    table(['key', 'type', 'default', 'meaning'], rows(configJsonSchema(), '')),
    'A file that is there and cannot be honoured is an error with line and column, and no other source is asked. Only ' +
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
