/** The part of JSON schema that our schemas use. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
}

/** A shape that has a name of its own, so that it is written out once. */
export interface NamedShape {
  name: string;
  schema: JsonSchema;
}

/** A schema in the notation of TypeScript's types. Named shapes are mentioned, not repeated. */
export function shapeOf(schema: JsonSchema, named: readonly NamedShape[] = []): string {
  const known = named.find((shape) => isSame(shape.schema, schema));
  if (known) return known.name;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(choices.map((choice) => shapeOf(choice, named)));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => shapeOf({ ...schema, type }, named)));
  switch (schema.type) {
    case 'object':
      return objectShape(schema, named);
    case 'array': {
      const items = schema.items ? shapeOf(schema.items, named) : 'unknown';
      return items.includes(' | ') && !items.endsWith('}') ? `(${items})[]` : `${items}[]`;
    }
    case 'integer':
      return 'number';
    case undefined:
      return 'unknown';
    default:
      return schema.type;
  }
}

function objectShape(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  named: readonly NamedShape[],
): string {
  const names = Object.keys(properties);
  if (names.length === 0) {
    return typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
      ? `Record<string, ${shapeOf(additionalProperties, named)}>`
      : 'Record<string, unknown>';
  }
  const lines = Object.entries(properties).map(
    ([name, property]) => `${name}${required.includes(name) ? '' : '?'}: ${shapeOf(property, named)};`,
  );
  return `{\n${lines.join('\n').replaceAll(/^/gm, '  ')}\n}`;
}

function union(choices: readonly string[]): string {
  return [...new Set(choices)].join(' | ');
}

function isSame(one: JsonSchema, other: JsonSchema): boolean {
  const { description: _one, ...first } = one;
  const { description: _other, ...second } = other;
  return JSON.stringify(first) === JSON.stringify(second);
}
