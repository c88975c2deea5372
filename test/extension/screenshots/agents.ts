import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const command = path.resolve(import.meta.dirname, '../../../dist/registrar.cjs');

/** Has agents of these names ask from these directories, and stay while something is done. */
export async function withAgents(
  { environment }: { environment: NodeJS.ProcessEnv },
  agents: Record<string, string>,
  work: () => Promise<void>,
): Promise<void> {
  const running = Object.entries(agents).map(([name, directory]) => {
    const child = spawn(process.execPath, [command, 'mcp', '--directory', directory], {
      env: environment,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const clientInfo = { name, version: '1.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const call = { name: 'resolve_project', arguments: {} };
    for (const message of [
      { id: 1, method: 'initialize', params },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: call },
    ]) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    }
    return child;
  });
  const ended = running.map((child) => once(child, 'exit'));
  try {
    await work();
  } finally {
    for (const child of running) child.stdin.end();
    await Promise.all(ended);
  }
}
