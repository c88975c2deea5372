import { agentMethods, factsOf, mayRepeat } from './methods.ts';

/**
 * The last line of a daemon that leaves in order: whatever it has not answered by then it has not begun, so that a
 * forwarder may ask its successor. A notification of ours, which never reaches an agent.
 */
export const leavingLine = '{"jsonrpc":"2.0","method":"notifications/registrar/leaving"}\n';

/** What a forwarder says of its agent when it asks to carry messages. */
export interface AgentStreamParams {
  /** Where the agent works; null when nothing says so. */
  directory: string | null;
  /** True when the command line or the agent's environment names it; false for the process's own directory. */
  isNamed: boolean;
}

/** Tools whose calls may be repeated when their answer was lost, as what they ask for may. */
export const repeatableTools: readonly string[] = agentMethods
  .filter(mayRepeat)
  .flatMap((method) => factsOf(method).tools ?? []);
