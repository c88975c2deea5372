/** As much of a message as a forwarder needs to know; the rest travels untouched. */
export type WireMessage =
  | { kind: 'request'; id: string; rawId: string | number; method: string; tool: string | null; directory: unknown }
  | { kind: 'notification'; method: string; cancelled: string | null }
  | { kind: 'answer'; id: string; code: string | null; projectId: string | null }
  | { kind: 'other' };

/** What a line says. @returns kind `other` for what is no single message: it is passed on, and the other side refuses it */
export function readMessage(line: Buffer): WireMessage {
  let message: unknown;
  try {
    message = JSON.parse(line.toString('utf8'));
  } catch {
    return { kind: 'other' };
  }
  const { id, method, params, result } = fieldsOf(message);
  const key = keyOf(id);
  if (typeof method === 'string') {
    const { name, arguments: input, requestId } = fieldsOf(params);
    if (key === null) return { kind: 'notification', method, cancelled: keyOf(requestId) };
    return {
      kind: 'request',
      id: key,
      rawId: id as string | number,
      method,
      tool: method === 'tools/call' && typeof name === 'string' ? name : null,
      directory: fieldsOf(input)['directory'],
    };
  }
  if (key === null) return { kind: 'other' };
  const { error, project } = fieldsOf(fieldsOf(result)['structuredContent']);
  return { kind: 'answer', id: key, code: textOf(fieldsOf(error)['code']), projectId: textOf(fieldsOf(project)['id']) };
}

/** The number 1 and the text "1" are two ids. */
function keyOf(id: unknown): string | null {
  return typeof id === 'string' || typeof id === 'number' ? JSON.stringify(id) : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
