import type * as z from 'zod';
import type { AgentApi, ToolName } from '../../protocol/methods.ts';
import type { AgentSession } from '../agentSession.ts';

/** What a tool knows about the call besides its input. */
export interface ToolCall {
  /** What agents may ask for. */
  api: AgentApi;
  session: AgentSession;
  home: string;
  /** `X-Registrar-Directory`, as it came with this call. */
  header: string | null;
  /** Aborted when the client cancels the call. */
  signal: AbortSignal;
  /** Asks the client for its workspace folders, within a limit. */
  askRoots(): Promise<readonly string[]>;
  /** Reports progress to people. */
  progress: (message: string) => void;
}

export interface ToolAnswer {
  /** What programs read; it agrees with the tool's output schema. */
  structured: Record<string, unknown>;
  /** What models read. */
  text: string;
  /** True when what was asked for was refused; `structured` then has an `error`. */
  isError: boolean;
}

/** What clients are told of a tool, as the protocol names it. */
export interface ToolAnnotations {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  /** A second call changes nothing more. */
  idempotentHint: boolean;
  /** Always false: tools reach nothing but the registry, its databases and config files. */
  openWorldHint: false;
}

/** One tool. It does not know the SDK, nor how its answer travels. */
export interface Tool {
  name: string;
  title: string;
  description: string;
  input: z.ZodObject;
  output: z.ZodObject;
  annotations: ToolAnnotations;
  /** @param input as the client sent it. Throws RegistrarError: INVALID_ARGUMENT when it is not what the schema says. */
  run(input: unknown, call: ToolCall): Promise<ToolAnswer>;
}

/** A tool as its file defines it. Only the operation that it calls says what it does to projects. */
export interface ToolDefinition<Input extends z.ZodObject> extends Omit<Tool, 'run' | 'input' | 'annotations'> {
  name: ToolName;
  input: Input;
  /** @throws RegistrarError, which the client gets as the call's error */
  handler: (input: z.output<Input>, call: ToolCall) => Promise<ToolAnswer>;
}
