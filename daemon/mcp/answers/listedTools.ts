import type { ListToolsResult } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import type { Tool } from '../tools/toolModel.ts';

const lists = new WeakMap<readonly Tool[], ListToolsResult>();

/** Schemas are computed once; the list is the same in every answer, so that clients can cache it. */
export function listedTools(tools: readonly Tool[]): ListToolsResult {
  let list = lists.get(tools);
  if (!list) {
    list = {
      tools: tools.map(({ name, title, description, input, output, annotations }) => ({
        name,
        title,
        description,
        inputSchema: jsonSchema(input, 'input'),
        outputSchema: jsonSchema(output, 'output'),
        annotations: { title, ...annotations },
      })),
    };
    lists.set(tools, list);
  }
  return list;
}

/** In the draft and the spellings that clients of all versions understand. */
function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): { type: 'object' } & Record<string, unknown> {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-7',
    override({ jsonSchema: written }) {
      // Says that anything is allowed, which is also the default.
      if (typeof written.additionalProperties === 'object' && Object.keys(written.additionalProperties).length === 0)
        delete written.additionalProperties;
      delete written.propertyNames;
      if (Array.isArray(written.type)) {
        written.anyOf = (written.type as 'null'[]).map((type) => ({ type }));
        delete written.type;
      }
    },
  });
  return { ...rest, type: 'object' };
}
