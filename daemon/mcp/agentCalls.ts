import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  ErrorCode,
  ListRootsResultSchema,
  McpError,
  type CallToolRequest,
  type CallToolResult,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { fileURLToPath } from 'node:url';
import type { RegistrarApi } from '../protocol/methods.ts';
import { named } from '../protocol/visibleText.ts';
import type { AgentPort } from './agentPort.ts';
import type { AgentSession } from './agentSession.ts';
import { agentReport, ownWords, refusal } from './answers/answers.ts';
import { asAgent } from './tools/asAgent.ts';
import type { Tool, ToolAnswer, ToolCall } from './tools/toolModel.ts';

type Protocol = McpServer['server'];
type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** What one agent asks for over one connection, answered in the protocol's terms. */
export class AgentCalls {
  readonly #session: AgentSession;
  readonly #protocol: Protocol;
  readonly #port: AgentPort;

  constructor(session: AgentSession, protocol: Protocol, port: AgentPort) {
    this.#session = session;
    this.#protocol = protocol;
    this.#port = port;
  }

  /** The client is there, and says who it is. */
  noteClient(): void {
    const client = this.#protocol.getClientVersion();
    if (client) this.#session.name = (client.title ?? client.name).slice(0, 100);
    this.#session.lastSeenAt = new Date();
  }

  async callTool({ name, arguments: input }: CallToolRequest['params'], extra: Extra): Promise<CallToolResult> {
    this.noteClient();
    const tool = this.#port.tools().find((one) => one.name === name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${named(name)}`);
    const answer = await this.#port.running(() => this.#run(tool, input, extra));
    this.#port.onChanged();
    return {
      content: [{ type: 'text', text: answer.text }],
      structuredContent: answer.structured,
      ...(answer.isError ? { isError: true } : {}),
    };
  }

  async readResource(uri: URL, work: (api: RegistrarApi) => Promise<object>): Promise<ReadResourceResult> {
    this.noteClient();
    const port = this.#port;
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

  async #run(tool: Tool, input: unknown, extra: Extra): Promise<ToolAnswer> {
    const progress = progressOf(extra);
    const access = tool.annotations.readOnlyHint ? 'read' : 'change';
    try {
      return await this.#port.use(access, progress, (api) => {
        const toolCall: Omit<ToolCall, 'api'> = {
          session: this.#session,
          home: this.#port.home,
          header: headerOf(extra),
          signal: extra.signal,
          askRoots: () => this.#askRoots(extra),
          progress,
        };
        return tool.run(input, { ...toolCall, api: asAgent(api, toolCall) });
      });
    } catch (error) {
      const report = agentReport(error);
      // A cancelled call ends somehow, and nobody is told.
      if (report.code === 'INTERNAL' && !extra.signal.aborted) this.#port.onFault(error);
      return refusal(report);
    }
  }

  /** Asked on the call's own stream, since many clients keep no other open. */
  async #askRoots(extra: Extra): Promise<string[]> {
    if (!this.#protocol.getClientCapabilities()?.roots) return [];
    const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema, {
      timeout: this.#port.rootsLimitMs,
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
}

/** The protocol's code for a resource that is not there. */
const resourceNotFound = -32002;

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
