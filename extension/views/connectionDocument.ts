import type { ConnectionPlan } from '../../daemon/protocol/agentConnections.ts';
import { agents } from '../../daemon/protocol/agents.ts';
import { codeBlock, codeSpan } from './inertText.ts';
import { shortPath } from './words.ts';

/** How to connect an agent, as a Markdown document: what goes into which file, and what to know about it. */
export function connectionDocument({ agent: id, file, snippet, launcher }: ConnectionPlan, home: string): string {
  const { name, format, tellsFolder, writable } = agents[id];
  const where = codeSpan(shortPath(file, home));
  // The snippet last: a question stands over the top of the window while it is read.
  return [
    `# Connect ${name}`,
    writable ? `This goes into ${where}; nothing else in it changes.` : `Put this into ${where}.`,
    `Then restart ${name}, or its MCP servers.`,
    ...(tellsFolder ? [] : [`${name} does not say in which folder it works: name the folder in your prompt.`]),
    ...(launcher && !launcher.exists
      ? [`${codeSpan(shortPath(launcher.path, home))} is not there yet: restart the daemon.`]
      : []),
    codeBlock(format, snippet),
    '',
  ].join('\n\n');
}
