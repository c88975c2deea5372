import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv-provider.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  RootsListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { AgentCalls } from './agentCalls.ts';
import type { AgentPort } from './agentPort.ts';
import type { AgentSession } from './agentSession.ts';
import { instructions } from './answers/instructions.ts';
import { listedTools } from './answers/listedTools.ts';
import { readProject, readStatus } from './answers/resources.ts';

export interface ServedAgent {
  /** The offered tools have changed. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** Created once: each server would create its own, and none is used. */
const validator = new AjvJsonSchemaValidator();

/**
 * Serves one agent over one connection: where tools meet the SDK. Lists and calls are handled by `AgentCalls` rather than by
 * the SDK's registry, whose own check of the input answers without code and hint.
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
  const calls = new AgentCalls(session, protocol, port);
  protocol.setRequestHandler(ListToolsRequestSchema, () => {
    calls.noteClient();
    return listedTools(port.tools());
  });
  protocol.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => calls.callTool(params, extra));
  protocol.setNotificationHandler(RootsListChangedNotificationSchema, () => {
    session.dropRoots();
  });
  protocol.oninitialized = () => {
    calls.noteClient();
    port.onChanged();
  };
  protocol.onerror = () => {
    // What a client sends that is no message of the protocol is answered there, and nobody's fault here.
  };
  offerResources(server, calls);
  await server.connect(transport);
  return {
    toolsChanged: () => {
      // It has no effect on a client that is not connected now: the list is read anew when it comes back.
      protocol.sendToolListChanged().catch(() => undefined);
    },
    close: () => server.close(),
  };
}

function offerResources(server: McpServer, calls: AgentCalls): void {
  server.registerResource(
    'status',
    'registrar://status',
    { title: 'Registrar status', description: 'Server and deliveries.', mimeType: 'application/json' },
    (uri) => calls.readResource(uri, readStatus),
  );
  server.registerResource(
    'project',
    new ResourceTemplate('registrar://projects/{id}', { list: undefined }),
    { title: 'Project', description: 'One project by its id.', mimeType: 'application/json' },
    (uri, { id }) => calls.readResource(uri, (api) => readProject(String(id), api)),
  );
}
