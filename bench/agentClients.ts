import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createInterface } from 'node:readline';
import { RawAgent } from '../test/support/rawAgent.ts';

/** An agent that has begun. Neither kind uses the protocol's library, whose own work is not what is asked about. */
export interface BenchAgent {
  /** What the tool says, a refusal included. */
  ask(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  /** @throws when the tool refused: that would be a fast answer, and must not pass for a figure */
  call(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface ToolAnswer {
  isError: boolean;
  structured: Record<string, unknown>;
}

/** Over one HTTP connection that is kept. */
export async function agentOverHttp(endpoint: { url: string; token: string }): Promise<BenchAgent> {
  const connections = new Agent({ keepAlive: true, maxSockets: 1 });
  const agent = new RawAgent(endpoint, {}, connections);
  await agent.begin();
  return {
    ask: (name, args) => agent.call(name, args),
    call: async (name, args) => accepted(name, await agent.call(name, args)),
    async close() {
      await agent.end();
      connections.destroy();
    },
  };
}

/** On the standard streams of a command that serves one. */
export async function agentOverStdio(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<BenchAgent & { pid: number }> {
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let asked = 0;
  function send(message: Record<string, unknown>): void {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }
  /** One question at a time, so the next answer is its. */
  async function ask(method: string, params: unknown): Promise<Record<string, unknown>> {
    const id = (asked += 1);
    send({ id, method, params });
    for (;;) {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${args.join(' ')} ended before it answered ${method}`);
      const message = JSON.parse(line.value) as { id?: number; result?: Record<string, unknown> };
      if (message.id !== id) continue;
      if (!message.result) throw new Error(`${method} was refused: ${line.value}`);
      return message.result;
    }
  }
  const clientInfo = { name: 'bench', version: '1' };
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  send({ method: 'notifications/initialized' });
  async function callTool(name: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> {
    const { isError, structuredContent } = await ask('tools/call', { name, arguments: args });
    return { isError: isError === true, structured: structuredContent as Record<string, unknown> };
  }
  return {
    pid: child.pid ?? 0,
    ask: callTool,
    call: async (name, args) => accepted(name, await callTool(name, args)),
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}

function accepted(name: string, { isError, structured }: ToolAnswer): Record<string, unknown> {
  if (isError) throw new Error(`${name} was refused: ${JSON.stringify(structured['error'])}`);
  return structured;
}
