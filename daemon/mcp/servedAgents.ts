import type { AgentSession } from './agentSession.ts';
import type { ServedAgent } from './serveAgent.ts';

/** The agents of one transport, each by its connection's key. */
export class ServedAgents<Key, Session extends { agent: AgentSession; served: ServedAgent }> extends Map<Key, Session> {
  agents(): AgentSession[] {
    return [...this.values()].map(({ agent }) => agent);
  }

  toolsChanged(): void {
    for (const { served } of this.values()) served.toolsChanged();
  }
}
