import type * as z from 'zod';
import { agentMethods, factsOf, mayRepeat, type ToolName } from '../../protocol/methods.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Tool, ToolAnnotations, ToolDefinition } from './toolModel.ts';

/**
 * Makes a tool of its definition and of the operation that it asks for. Its input is checked once, here, and the handler
 * relies on it.
 */
export function defineTool<Input extends z.ZodObject>(definition: ToolDefinition<Input>): Tool {
  const { handler, ...tool } = definition;
  return {
    ...tool,
    annotations: annotationsOf(tool.name),
    async run(given, call) {
      const parsed = definition.input.safeParse(given ?? {});
      if (!parsed.success) throw invalid(definition.name, parsed.error);
      return handler(parsed.data, call);
    },
  };
}

function annotationsOf(tool: ToolName): ToolAnnotations {
  const method = agentMethods.find((name) => factsOf(name).tools?.includes(tool));
  if (!method) throw new Error(`No operation has the tool ${tool}.`);
  const { effect, replaces } = factsOf(method);
  return {
    readOnlyHint: effect === 'reads',
    destructiveHint: replaces ?? false,
    idempotentHint: mayRepeat(method),
    openWorldHint: false,
  };
}

function invalid(tool: string, error: z.ZodError): RegistrarError {
  const problems = error.issues.map(({ path, message }) =>
    visible(path.length === 0 ? message : `${path.join('/')}: ${message}`),
  );
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `The arguments of ${tool} do not match its input schema: ${problems.join('; ')}. Nothing was done.`,
    hint: 'Call it again with the arguments that tools/list describes.',
  });
}
