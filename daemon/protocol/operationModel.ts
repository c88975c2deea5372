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

/** Hears each step when it begins, in words for people: what takes long is told while it is done. */
export type OnStep = (step: string) => void;

/** An agent, as far as evidence for a claim goes. */
export interface AgentAsker {
  /** The real paths of the folders that it was started for: launch folder, header, the client's roots. */
  folders: () => Promise<readonly string[]>;
}

/** What is known of an operation besides its answer and what it does it with. */
export interface OperationFacts {
  /** For people, as a sentence without subject. */
  does: string;
  /** `engine`: it needs PostgreSQL, and each engine implements it. `daemon`: the daemon does it itself. */
  by: 'engine' | 'daemon';
  /** Null when it takes none. */
  params: Parameters | null;
  /**
   * What asking does, and so what asking twice does. `reads` changes nothing. `settles` may make or change something, and
   * finds it as it is when it is asked again. `changes` would do something else the second time, refuse what it has done,
   * or not say any more what the first time did. What reads or settles is asked again when its answer was lost; what
   * settles or changes has windows drawn anew.
   */
  effect: 'reads' | 'settles' | 'changes';
  /** It takes away or replaces what was there, so clients of agents ask their user first. */
  replaces?: true;
  /**
   * Which of our programs ask for it. Their code is held to it by types; the daemon serves them all alike, since whoever
   * attaches has the user's token, and says itself what it is.
   */
  askedBy: readonly ('window' | 'command')[];
  /** The tools by which agents ask for it. Without any they cannot: it is no part of the API that tools get. */
  tools?: readonly string[];
  /** Whose claim it is counts, so that an agent's call says that an agent asks. */
  judgesAsker?: true;
  /** What comes with the call besides parameters, and does not cross the pipe as one of them. */
  with?: 'steps' | 'signal';
  /** Served by a daemon that leaves, too. */
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
