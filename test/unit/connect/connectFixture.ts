import assert from 'node:assert/strict';
import { join } from 'node:path';
import { agentConnections } from '../../../daemon/engine/agentConnections.ts';
import type { AgentConnections, ConnectionRequest } from '../../../daemon/protocol/agentConnections.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';

/** The endpoint's. */
export const token = 'c0ffee'.repeat(8);
let count = 0;

/** A home folder that is yet to be made, and what is needed to connect agents in it. */
export function newHome(scratch: { path: (...parts: string[]) => string }): {
  home: string;
  connections: AgentConnections;
  at: (...parts: string[]) => string;
} {
  count += 1;
  const home = scratch.path(`home${count}`);
  const at = (...parts: string[]): string => join(home, ...parts);
  const connections = agentConnections({
    stateFolder: at('state'),
    platform: 'linux',
    home,
    environment: {},
    endpoint: async () => ({ url: 'http://127.0.0.1:4321/mcp', token }),
    now: () => '2026-11-03T09:00:00.000Z',
  });
  return { home, connections, at };
}

/** Asks for an entry for a process in the user's own file, unless it says otherwise. */
export const request = (
  agent: ConnectionRequest['agent'],
  more: Partial<ConnectionRequest> = {},
): ConnectionRequest => ({
  agent,
  transport: 'stdio',
  scope: 'user',
  directory: '/nowhere',
  ...more,
});

/** The error with which something is refused; it always has a hint. */
export async function refusal(act: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await act.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RegistrarError, String(error));
  assert.notEqual(error.hint, '');
  return { code: error.code, message: error.message };
}
