import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv-provider.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  McpError,
  RootsListChangedNotificationSchema,
  type ListToolsResult,
  type CallToolResult,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { RegistrarApi } from '../protocol/methods.ts';
import { named } from '../protocol/visibleText.ts';
import type { AgentPort } from './agentPort.ts';
import { asAgent } from './tools/asAgent.ts';
import type { AgentSession } from './agentSession.ts';
import { ownWords, refusal, agentReport } from './answers/answers.ts';
import { instructions } from './answers/instructions.ts';
import { readProject, readStatus } from './answers/resources.ts';
import type { Tool, ToolAnswer, ToolCall } from './tools/toolModel.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export interface ServedAgent {
  /** The tools that are offered are others now. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** Made once: each server would make one of its own, and none is used. */
const validator = new AjvJsonSchemaValidator();

/**
 * Serves one agent over one connection: the only place where tools meet the SDK. Lists and calls are handled here rather
 * than by its registry, whose own check of the input answers without code and hint.
 */
export async function serveAgent(session: AgentSession, transport: Transport, port: AgentPort): Promise<ServedAgent> {
  const server = new McpServer(
    { name: 'project-registrar', title: 'Project Registrar', version: port.version },
    {
      instructions,
      capabilities: { tools: { listChanged: true }, resources: {}, logging: {} },
      jsonSchemaValidator: validator,
    },
  );
  const protocol = server.server;
  const noteClient = (): void => {
    const client = protocol.getClientVersion();
    if (client) session.name = (client.title ?? client.name).slice(0, 100);
    session.lastSeenAt = new Date();
  };

  protocol.setRequestHandler(ListToolsRequestSchema, () => {
    noteClient();
    return listedTools(port.tools());
  });
  protocol.setRequestHandler(CallToolRequestSchema, async (request, extra): Promise<CallToolResult> => {
    noteClient();
    const { name, arguments: input } = request.params;
    const tool = port.tools().find((one) => one.name === name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${named(name)}`);
    const answer = await port.running(() => call(tool, input, extra));
    port.onChanged();
    return {
      content: [{ type: 'text', text: answer.text }],
      structuredContent: answer.structured,
      ...(answer.isError ? { isError: true } : {}),
    };
  });
  protocol.setNotificationHandler(RootsListChangedNotificationSchema, () => {
    session.dropRoots();
  });
  protocol.oninitialized = () => {
    noteClient();
    port.onChanged();
  };
  protocol.onerror = () => {
    // What a client sends that is no message of the protocol is answered there, and nobody's fault here.
  };
  server.registerResource(
    'status',
    'registrar://status',
    { title: 'Registrar status', description: 'Server and deliveries.', mimeType: 'application/json' },
    (uri) => read(uri, readStatus),
  );
  server.registerResource(
    'project',
    new ResourceTemplate('registrar://projects/{id}', { list: undefined }),
    { title: 'Project', description: 'One project by its id.', mimeType: 'application/json' },
    (uri, { id }) => read(uri, (api) => readProject(String(id), api)),
  );

  async function read(uri: URL, work: (api: RegistrarApi) => Promise<object>): Promise<ReadResourceResult> {
    noteClient();
    try {
      const value = await port.running(() => port.use('read', () => undefined, work));
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(value) }] };
    } catch (error) {
      const { code, message, hint, details } = ownWords(agentReport(error));
      if (code === 'INTERNAL') port.onFault(error);
      const number = code === 'PROJECT_NOT_FOUND' ? resourceNotFound : ErrorCode.InternalError;
      throw new McpError(number, message, { code, hint, ...details });
    }
  }

  async function call(tool: Tool, input: unknown, extra: Extra): Promise<ToolAnswer> {
    const progress = progressOf(extra);
    const access = tool.annotations.readOnlyHint ? 'read' : 'change';
    try {
      return await port.use(access, progress, (api) => {
        const toolCall: Omit<ToolCall, 'api'> = {
          session,
          home: port.home,
          header: headerOf(extra),
          signal: extra.signal,
          askRoots: () => askRoots(extra),
          progress,
        };
        return tool.run(input, { ...toolCall, api: asAgent(api, toolCall) });
      });
    } catch (error) {
      const report = agentReport(error);
      // What was cancelled ends however it ends, and nobody hears of it.
      if (report.code === 'INTERNAL' && !extra.signal.aborted) port.onFault(error);
      return refusal(report);
    }
  }

  /** Asked on the call's own stream, since many clients keep no other open. */
  async function askRoots(extra: Extra): Promise<string[]> {
    if (!protocol.getClientCapabilities()?.roots) return [];
    const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema, {
      timeout: port.rootsLimitMs,
    });
    return roots.flatMap(({ uri }) => {
      try {
        return [fileURLToPath(uri)];
      } catch {
        // Not a folder of this machine.
        return [];
      }
    });
  }

  await server.connect(transport);
  return {
    toolsChanged: () => {
      // It has no effect on a client that is not connected now: the list is read anew when it comes back.
      protocol.sendToolListChanged().catch(() => undefined);
    },
    close: () => server.close(),
  };
}

/** The protocol's code for a resource that is not there. */
const resourceNotFound = -32002;

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
      // Says that anything may be there, as saying nothing does.
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

function progressOf(extra: Extra): (message: string) => void {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let progress = 0;
  return (message) => {
    progress += 1;
    extra
      .sendNotification({ method: 'notifications/progress', params: { progressToken, progress, message } })
      .catch(() => undefined);
  };
}

function headerOf({ requestInfo }: Extra): string | null {
  const header = requestInfo?.headers['x-registrar-directory'];
  return typeof header === 'string' && header !== '' ? header : null;
}
