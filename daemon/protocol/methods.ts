import type { ServerLabel } from './model.ts';
import type { AgentAsker, OnStep, OperationFacts, Parameters, ValuesOf } from './operationModel.ts';
import { operations } from './operations.ts';

type Operations = typeof operations;

/** What can be asked of the daemon. */
export type ControlMethod = keyof Operations;

/** The operations whose facts have this. */
type Having<Facts> = { [Name in ControlMethod]: Operations[Name] extends Facts ? Name : never }[ControlMethod];

export type EngineMethod = Having<{ by: 'engine' }>;
/** What windows ask for. */
export type WindowMethod = {
  [Name in ControlMethod]: 'window' extends Operations[Name]['askedBy'][number] ? Name : never;
}[ControlMethod];
/** What agents ask for, by tools. */
export type AgentMethod = Having<{ tools: readonly string[] }>;
/** The tools that agents have. */
export type ToolName = { [Name in AgentMethod]: Operations[Name]['tools'][number] }[AgentMethod];

/** What an operation is given; undefined when it takes nothing. */
export type ParamsOf<Name extends ControlMethod> = Operations[Name]['params'] extends Parameters
  ? ValuesOf<Operations[Name]['params']> & AskerOf<Operations[Name]>
  : undefined;

/** `agent` is set within the daemon for agents' calls; no client can set it. */
type AskerOf<Facts> = Facts extends { judgesAsker: true } ? { agent?: AgentAsker } : unknown;

export type AnswerOf<Name extends ControlMethod> = AnswerIn<Operations[Name]>;
type AnswerIn<Facts> = Facts extends { readonly answer?: infer Answer } ? Answer : never;

export type ListParams = ParamsOf<'listProjects'>;
export type UseParams = ParamsOf<'useProject'>;
export type CreateParams = ParamsOf<'createProject'>;
export type UpdateParams = ParamsOf<'updateProject'>;
export type QueryParams = ParamsOf<'queryDatabase'>;

export interface ResolveParams extends ParamsOf<'resolve'> {
  /** Set within the daemon if a person asked for a new project in the place of a dropped one; no client can set it. */
  anew?: boolean;
}

/** What a call carries besides its parameters. */
type Besides<Facts> = Facts extends { with: 'steps' }
  ? [onStep?: OnStep]
  : Facts extends { with: 'signal' }
    ? [signal?: AbortSignal]
    : [];

type Given<Name extends ControlMethod> = ParamsOf<Name> extends undefined ? [] : [params: ParamsOf<Name>];

/** What an engine does. Refusals other than a resolution's own are thrown as RegistrarError. */
export type EngineApi = {
  [Name in EngineMethod]: (...given: [...Given<Name>, ...Besides<Operations[Name]>]) => Promise<AnswerOf<Name>>;
};

/** What every client may ask an engine for. */
export interface RegistrarApi extends EngineApi {
  server(): ServerLabel;
}

/** What agents' tools may ask for. */
export type AgentApi = Pick<RegistrarApi, AgentMethod | 'server'>;

/** Creates something for each operation of a list, such as its handler. */
export function forOperations<Name extends ControlMethod, Made>(
  names: readonly Name[],
  make: (name: Name) => Made,
): Record<Name, Made> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Made>;
}

export const controlMethods = Object.keys(operations) as ControlMethod[];

export const engineMethods = controlMethods.filter((name): name is EngineMethod => operations[name].by === 'engine');

export const agentMethods = controlMethods.filter((name): name is AgentMethod => 'tools' in operations[name]);

/** Everything known of an operation. */
export function factsOf(name: ControlMethod): OperationFacts {
  return operations[name];
}

/** Whether it is repeated if its answer was lost. */
export function mayRepeat(name: ControlMethod): boolean {
  return factsOf(name).effect !== 'changes';
}
