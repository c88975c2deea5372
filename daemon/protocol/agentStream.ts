import { agentMethods, factsOf, mayRepeat } from './methods.ts';

/**
 * The last line of a daemon that shuts down gracefully. It has not begun anything that it has not answered by then, so
 * a forwarder may ask its successor. This is our own notification; it never reaches an agent.
 */
export const leavingLine = '{"jsonrpc":"2.0","method":"notifications/registrar/leaving"}\n';

/** What a forwarder tells the daemon about its agent. */
export interface AgentStreamParams {
  /** Where the agent works; null if unknown. */
  directory: string | null;
  /** True when the command line or the agent's environment names it; false for the process's own directory. */
  isNamed: boolean;
}

/** Tools whose calls may be repeated if their answer was lost, because their operations may. */
export const repeatableTools: readonly string[] = agentMethods
  .filter(mayRepeat)
  .flatMap((method) => factsOf(method).tools ?? []);
