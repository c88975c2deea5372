import { setTimeout as delay } from 'node:timers/promises';
import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Socket } from 'node:net';
import { NoAnswer } from '../client/dialDaemon.ts';
import { Forwarder } from '../mcp/forwarder/forwarder.ts';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import { maxMessageBytes } from '../protocol/control.ts';
import { daemonClient, type LocalDaemonOptions } from '../client/localDaemon.ts';

export interface ForwardOptions extends LocalDaemonOptions {
  /** Absolute, as the command line names it; null when it does not. */
  directory: string | null;
}

/** Serves the agent on this process's standard streams until it ends. A daemon is started when none runs. */
export async function forwardAgent(options: ForwardOptions): Promise<void> {
  const client = await daemonClient(
    options,
    null,
    true,
    (message) => {
      process.stderr.write(`registrar: ${message}\n`);
    },
    'forwarder',
  );
  const params = workingDirectory(
    options.directory,
    options.environment,
    process.cwd(),
    (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  );
  const dial = async (): Promise<Socket> => {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await client.connect();
      try {
        return await connection.openAgentStream(params);
      } catch (error) {
        connection.close();
        // A daemon that shuts down soon has a successor.
        if (!(error instanceof NoAnswer) || attempt === maxDials) throw error;
        await delay(50);
      }
    }
  };
  await new Forwarder({
    input: process.stdin,
    output: process.stdout,
    dial,
    maxMessageBytes,
    lingerMs: 30_000,
  }).run();
  // An input that stays open would keep the process.
  process.stdin.destroy();
}

const maxDials = 20;

/**
 * Where an agent works: what the command line says, else what the agent says of itself in the environment of the servers
 * that it starts (Claude Code its project, Cursor the folder of its window), else the process's own directory.
 *
 * @param isFolder tells a folder from a list of several, which names none
 */
export function workingDirectory(
  given: string | null,
  environment: Record<string, string | undefined>,
  cwd: string,
  isFolder: (path: string) => boolean,
): AgentStreamParams {
  if (given !== null) return { directory: given, isNamed: true };
  for (const name of ['CLAUDE_PROJECT_DIR', 'WORKSPACE_FOLDER_PATHS']) {
    const named = environment[name] ?? '';
    if (isAbsolute(named) && isFolder(named)) return { directory: named, isNamed: true };
  }
  return { directory: cwd, isNamed: false };
}
