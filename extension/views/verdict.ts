/** The situations that people tell apart; each has its own words in tree and status bar. */
export type Verdict =
  | 'waiting'
  | 'ready'
  | 'pending'
  | 'parked'
  | 'stale'
  | 'conflict'
  | 'restricted'
  | 'no-project'
  | 'not-made'
  | 'unfinished'
  | 'unreachable'
  | 'refused';

/** What is the matter, followed by what to do about it. */
export interface Trouble {
  /** Names the actions that the row offers; see package.json, `view/item/context`. */
  kind: string;
  message: string;
  advice: string;
  isError: boolean;
  /** Whether it waits for a person: what ends by itself does not. */
  needsSomeone: boolean;
}

export interface FolderVerdict {
  verdict: Verdict;
  /** The project's name, or the name that the folder claims. */
  title: string;
  /** Behind the title, one glance. */
  summary: string;
  troubles: Trouble[];
}
