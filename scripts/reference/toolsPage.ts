import { listedTools } from '../../daemon/mcp/answers/listedTools.ts';
import { toolList } from '../../daemon/mcp/tools/toolList.ts';
import { shapeOf, type JsonSchema, type NamedShape } from './jsonSchema.ts';
import { code, table } from './markdown.ts';

type ListedTool = ReturnType<typeof listedTools>['tools'][number];

export function toolsPage(): string {
  const standard = new Set(toolList('standard').map(({ name }) => name));
  const { tools } = listedTools(toolList('all'));
  const shapes = namedShapes(tools);
  return [
    '# Tools for agents',
    'What an agent sees over MCP. A call works in the first of these directories: its `directory` argument, ' +
      '`set_working_directory` in this session, the header `X-Registrar-Directory` (percent-encoded), the client’s only ' +
      'workspace folder. `/`, the home folder and a `${…}` that was not replaced do not count. Null means the same as ' +
      'leaving an argument out. A refusal has `error` with a [code](codes.md).',
    '## Shapes that several answers have',
    'An `ErrorCode` and a `WarningCode` are [codes](codes.md).',
    ...shapes
      .filter(({ schema }) => schema.properties)
      .map((shape) =>
        block(
          `${shape.name} = ${shapeOf(
            shape.schema,
            shapes.filter((other) => other !== shape),
          )}`,
        ),
      ),
    '## Always there',
    ...tools.filter(({ name }) => standard.has(name)).map((tool) => section(tool, shapes)),
    '## With the setting `registrar.mcp.tools` at `"all"`',
    ...tools.filter(({ name }) => !standard.has(name)).map((tool) => section(tool, shapes)),
    '## Resources',
    table(
      ['address', 'content'],
      [
        [code('registrar://status'), 'server and deliveries'],
        [code('registrar://projects/{id}'), 'one project'],
      ],
    ),
  ].join('\n\n');
}

function section(
  { name, description, inputSchema, outputSchema, annotations }: ListedTool,
  shapes: readonly NamedShape[],
): string {
  const input = inputSchema as JsonSchema;
  const output = outputSchema as JsonSchema;
  const properties = Object.entries(input.properties ?? {});
  const rows = properties.map(([key, property]) => [
    code(key),
    code(shapeOf(property)),
    input.required?.includes(key) ? 'required' : '',
    property.description ?? '',
  ]);
  return [
    `### ${name}`,
    `${description ?? ''} ${annotations?.readOnlyHint ? 'Only reads.' : 'May create or change something.'}`,
    rows.length === 0 ? 'It takes no arguments.' : table(['argument', 'type', '', 'meaning'], rows),
    block(answerShape(output, shapes)),
  ].join('\n\n');
}

/** An answer that has all fields of a resolution is a resolution and what else it says. */
function answerShape(output: JsonSchema, shapes: readonly NamedShape[]): string {
  const resolution = shapes.find(({ name }) => name === 'Resolution')?.schema.properties ?? {};
  const properties = output.properties ?? {};
  if (!Object.keys(resolution).every((key) => key in properties)) return shapeOf(output, shapes);
  const more = Object.entries(properties).filter(([key]) => !(key in resolution));
  const rest = shapeOf({ type: 'object', properties: Object.fromEntries(more) }, shapes);
  return more.length === 0 ? 'Partial<Resolution>' : `Partial<Resolution> & ${rest}`;
}

/** Taken from where they stand in the answers, so that they are what the answers have. */
function namedShapes(tools: readonly ListedTool[]): NamedShape[] {
  const output = (name: string): JsonSchema | undefined =>
    tools.find((tool) => tool.name === name)?.outputSchema as JsonSchema | undefined;
  const resolution = some(output('query_database')?.properties?.['resolution']);
  const inside = (key: string): JsonSchema =>
    some(resolution.properties?.[key]?.anyOf?.find(({ type }) => type === 'object'));
  const fault = inside('error');
  return [
    { name: 'ErrorCode', schema: some(fault.properties?.['code']) },
    { name: 'WarningCode', schema: some(resolution.properties?.['warnings']?.items?.properties?.['code']) },
    { name: 'Fault', schema: fault },
    { name: 'Project', schema: inside('project') },
    { name: 'Sync', schema: inside('sync') },
    { name: 'ListedProject', schema: some(output('list_projects')?.properties?.['projects']?.items) },
    { name: 'PendingProject', schema: some(output('sync_status')?.properties?.['pending']?.items) },
    { name: 'Resolution', schema: resolution },
  ];
}

function some(schema: JsonSchema | undefined): JsonSchema {
  if (!schema) throw new Error('An answer that the reference shows has another shape now.');
  return schema;
}

function block(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``;
}
