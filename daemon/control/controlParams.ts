import * as z from 'zod';
import { agentIds } from '../protocol/agents.ts';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import type { ControlApi, ControlMethod, HelloParams, InitializeParams } from '../protocol/control.ts';
import type { WindowSettings } from '../protocol/settings.ts';

type Params<Method extends ControlMethod> = Parameters<ControlApi[Method]> extends [infer First] ? First : undefined;

const text = z.string().max(65_536);
const noParams = z.unknown().transform(() => undefined);
const project = z.object({ project: text });
const folders = z.array(z.object({ path: text, trusted: z.boolean() })).max(1000);

/** For text that may be absent, null or given, which mean what they say in the interface. */
const optionalText = z.exactOptional(text.nullable());
const optionalFlag = z.exactOptional(z.boolean());

const question = z.object({
  directory: optionalText,
  project: optionalText,
  expect: optionalText,
  dryRun: optionalFlag,
});

const connection = z.object({
  agent: z.enum(agentIds),
  transport: z.enum(['stdio', 'http']),
  scope: z.enum(['user', 'workspace']),
  directory: text,
});

/** What clients send is checked here, once; handlers rely on it. */
export const controlParams = {
  server: noParams,
  resolve: question,
  listProjects: z.object({ query: optionalText, limit: z.exactOptional(z.number()), cursor: optionalText }),
  unusedProjects: z.object({ unusedMs: z.number().positive(), query: optionalText }),
  showProject: project,
  createProject: z.object({
    name: text,
    description: optionalText,
    directory: optionalText,
    dryRun: optionalFlag,
    local: optionalFlag,
  }),
  renameProject: z.object({ project: text, name: text }),
  updateProject: z.object({ project: text, name: z.exactOptional(text), description: optionalText }),
  adoptDatabase: z.object({ database: text, name: optionalText }),
  forgetProject: project,
  dropProject: z.object({ project: text, confirm: text.nullable() }),
  remakeProject: z.object({ project: text, confirm: text.nullable() }),
  useProject: z.object({
    project: text,
    directory: text,
    local: optionalFlag,
    confirm: optionalText,
  }),
  removeBinding: z.object({ directory: text }),
  connection: question,
  describeDatabase: question,
  queryDatabase: question.extend({
    sql: text,
    params: z.exactOptional(z.array(z.unknown()).max(65_535)),
    limit: z.exactOptional(z.number()),
  }),
  syncStatus: noParams,
  syncNow: noParams,
  drift: noParams,
  repair: z.object({ planId: text }),
  status: noParams,
  setFolders: z.object({ folders }),
  look: noParams,
  checkConfig: z.object({ path: text, text: z.string().max(1_048_576) }),
  changeAddress: z.object({
    postgres: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('bundled') }),
      z.object({ kind: z.literal('url'), url: text }),
    ]),
    password: text.nullable(),
  }),
  tryAddress: z.object({ url: text.nullable(), password: text.nullable() }),
  savePassword: z.object({ url: text, password: text.min(1) }),
  rotateToken: noParams,
  mcpAddress: noParams,
  connections: noParams,
  planConnection: connection,
  connectAgent: connection,
  disconnectAgent: z.object({ file: text }),
  drain: z.object({ stopServer: z.boolean(), reason: text }),
} satisfies { [Method in ControlMethod]: z.ZodType<Params<Method>> };

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
