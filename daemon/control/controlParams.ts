import * as z from 'zod';
import { agentIds } from '../protocol/agents.ts';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import type { HelloParams, InitializeParams } from '../protocol/control.ts';
import { controlMethods, factsOf, forOperations, type ControlMethod, type ParamsOf } from '../protocol/methods.ts';
import type { ParameterKinds } from '../protocol/operationModel.ts';
import type { WindowSettings } from '../protocol/settings.ts';

const text = z.string().max(65_536);
const noParams = z.unknown().transform(() => undefined);
const folders = z.array(z.object({ path: text, trusted: z.boolean() })).max(1000);

/** For text that may be absent, null or given, which mean what they say in the interface. */
const optionalText = z.exactOptional(text.nullable());
const optionalFlag = z.exactOptional(z.boolean());

/** How each kind of parameter is checked. */
const kinds = {
  text,
  'text?': z.exactOptional(text),
  'text|null': text.nullable(),
  'text|null?': optionalText,
  'some text': text.min(1),
  'long text': z.string().max(1_048_576),
  flag: z.boolean(),
  'flag?': optionalFlag,
  'number?': z.exactOptional(z.number()),
  'positive number': z.number().positive(),
  'values?': z.exactOptional(z.array(z.unknown()).max(65_535)),
  folders,
  postgres: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('bundled') }),
    z.object({ kind: z.literal('url'), url: text }),
  ]),
  agent: z.enum(agentIds),
  transport: z.enum(['stdio', 'http']),
  scope: z.enum(['user', 'workspace']),
} satisfies { [Kind in keyof ParameterKinds]: z.ZodType<ParameterKinds[Kind] | undefined> };

/** Checks what clients send, once, so that handlers can rely on it. */
export const controlParams = forOperations(controlMethods, schemaOf) as {
  [Method in ControlMethod]: z.ZodType<ParamsOf<Method>>;
};

function schemaOf(method: ControlMethod): z.ZodType {
  const { params } = factsOf(method);
  if (params === null) return noParams;
  return z.object(Object.fromEntries(Object.entries(params).map(([name, kind]) => [name, kinds[kind]])));
}

export const helloParams = z.object({ nonce: z.string().min(32).max(128) }) satisfies z.ZodType<HelloParams>;

const settings = z.object({
  'registrar.postgres.projectSchema': optionalText,
  'registrar.postgres.ownerRole': optionalText,
  'registrar.workflow.url': optionalText,
  'registrar.defaultProject.enabled': optionalFlag,
  'registrar.config.writeId': z.exactOptional(z.enum(['always', 'untracked', 'never'])),
  'registrar.daemon.idleMinutes': z.exactOptional(z.number().positive().max(10_000)),
  'registrar.mcp.enabled': optionalFlag,
  'registrar.mcp.tools': z.exactOptional(z.enum(['standard', 'all'])),
}) satisfies z.ZodType<WindowSettings>;

export const initializeParams = z.object({
  proof: z.string().max(128),
  kind: z.enum(['window', 'command', 'forwarder']),
  version: z.string().max(100),
  protocol: z.int().positive(),
  pid: z.int(),
  folders,
  address: z.object({
    url: text.nullable(),
    source: z.enum(['argument', 'environment', 'setting']),
    variables: z.record(z.string(), text),
  }),
  settings: z.exactOptional(settings),
}) satisfies z.ZodType<InitializeParams>;

export const agentStreamParams = z.object({
  directory: text.nullable(),
  isNamed: z.boolean(),
}) satisfies z.ZodType<AgentStreamParams>;
