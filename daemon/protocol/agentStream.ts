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

/** Tools whose calls may be repeated when their answer was lost: they look, or find what the first call made. */
export const repeatableTools: readonly string[] = [
  'resolve_project',
  'set_working_directory',
  'list_projects',
  'describe_database',
  'query_database',
  'sync_status',
  'get_project',
  'use_project',
  'update_project',
  'sync_now',
  'check_drift',
];
