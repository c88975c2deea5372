import type { ControlHandlers } from '../control/clientConnection.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { agentConnections } from './agentConnections.ts';

/** How windows connect agents: what `registrar connect` does, done by the daemon. */
export function connectionHandlers(
  served: () => { url: string; token: string } | null,
  {
    stateFolder,
    home,
    environment,
  }: { stateFolder: string; home: string; environment: Record<string, string | undefined> },
) {
  const address = (): Promise<{ url: string; token: string }> => {
    const current = served();
    return current ? Promise.resolve(current) : Promise.reject(notServed());
  };
  const connections = agentConnections({
    stateFolder,
    home,
    environment,
    platform: process.platform,
    endpoint: address,
    now: () => new Date().toISOString(),
  });
  return {
    mcpAddress: address,
    connections: () => connections.list(),
    planConnection: (request) => connections.plan(request),
    connectAgent: async (request) => connections.write(await connections.plan(request)),
    disconnectAgent: ({ file }) => connections.remove(file),
  } satisfies Partial<ControlHandlers>;
}

function notServed(): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: 'The daemon does not serve agents over HTTP.',
    hint: 'Turn on registrar.mcp.enabled, or see the log. Agents that start Registrar themselves need no address.',
  });
}
