import type { AgentId, ConnectionScope } from './agents.ts';
import type { ClientFolder } from './control.ts';
import type { Settings } from './settings.ts';

/**
 * What a parameter may be, in TypeScript's spelling: `?` may be left out, `|null` may be null, and both mean what they say.
 * The pipe checks each kind by the schema that `daemon/control/controlParams.ts` has for it.
 */
export interface ParameterKinds {
  text: string;
  'text?': string;
  'text|null': string | null;
  'text|null?': string | null;
  /** At least one character. */
  'some text': string;
  /** The text of a config file. */
  'long text': string;
  flag: boolean;
  'flag?': boolean;
  'number?': number;
  'positive number': number;
  /** JSON values for $1, $2, …, sent as text; null is NULL. */
  'values?': readonly unknown[];
  folders: ClientFolder[];
  /** A PostgreSQL that somebody chose. */
  postgres: NonNullable<Settings['postgres']>;
  agent: AgentId;
  transport: 'stdio' | 'http';
  scope: ConnectionScope;
}

export type Parameters = Readonly<Record<string, keyof ParameterKinds>>;

/** Called when each step begins, in words for people, so that they see what takes long. */
export type OnStep = (step: string) => void;

/** An agent, as far as evidence for a claim goes. */
export interface AgentAsker {
  /** The real paths of the folders that it was started for: launch folder, header, the client's roots. */
  folders: () => Promise<readonly string[]>;
}

/** What is known about an operation, besides its answer and its implementation. */
export interface OperationFacts {
  /** For people, as a sentence without subject. */
  does: string;
  /** `engine`: it needs PostgreSQL, and each engine implements it. `daemon`: the daemon does it itself. */
  by: 'engine' | 'daemon';
  /** Null when it takes none. */
  params: Parameters | null;
  /**
   * What a call does, and so what a second call does. `reads` changes nothing. `ensures` may create or change
   * something, and finds that done when it is called again. `changes` would do something else the second time, refuse,
   * or no longer report what the first call did. A call that reads or ensures is repeated if its answer was lost; a
   * call that ensures or changes makes windows refresh.
   */
  effect: 'reads' | 'ensures' | 'changes';
  /** It removes or replaces something, so agents' clients ask their user first. */
  replaces?: true;
  /**
   * Which of our programs call it. Types hold their code to it. The daemon serves all of them alike, because every
   * client has the user's token and declares its own kind.
   */
  askedBy: readonly ('window' | 'command')[];
  /**
   * The tools through which agents call it. Without any, they cannot: the operation is not in the API that tools get.
   */
  tools?: readonly string[];
  /** It matters who claims, so an agent's call says that an agent asks. */
  judgesAsker?: true;
  /** What the call carries besides its parameters, and does not cross the pipe as one of them. */
  with?: 'steps' | 'signal';
  /** Also served by a daemon that is shutting down. */
  whileLeaving?: true;
}

type Optional<Given extends Parameters> = {
  [Name in keyof Given]: Given[Name] extends `${string}?` ? Name : never;
}[keyof Given];

/** The type of the parameters. */
export type ValuesOf<Given extends Parameters> = {
  -readonly [Name in Exclude<keyof Given, Optional<Given>>]: ParameterKinds[Given[Name]];
} & {
  -readonly [Name in Optional<Given>]?: ParameterKinds[Given[Name]];
};
