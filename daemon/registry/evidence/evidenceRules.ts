import { holds, type Conditions } from '../conditions.ts';

/**
 * Everything that decides whether a folder may claim a project that exists. An id or a name only says which project is
 * meant; these facts say whether the folder is one of the project's own.
 */
export interface EvidenceCase {
  /** What in the config led to the project. */
  by: 'id' | 'name';
  /**
   * What is kept of this very folder: nothing, a claim that it still fits, or a claim of whatever stood at this path
   * before another repository took it over.
   */
  claimed: 'never' | 'fits' | 'taken-over';
  /** For a linked worktree: whether its main checkout, at the same path inside, would be resolved with the same config. */
  worktree: 'none' | 'of-resolved' | 'of-refused';
  /** The folder's own origin; `local-claimer` is a path on this machine whose folder claimed the project. */
  originHere: 'none' | 'project’s' | 'local-claimer' | 'other';
  /** The project's origin; `unclear` where version 0.1 listed several remotes. */
  originInProject: 'none' | 'known' | 'unclear';
  /**
   * The folder's place in the repository, beside the one that the project records with the same origin or that the
   * local claimer has; `moved` where that one is gone from this checkout and no other config in it has the name.
   */
  path: 'same' | 'moved' | 'other';
  /**
   * The folders that the project records: none ever, lost with its row, some on this machine that are there, none but
   * such that are gone from this machine, or only other machines'.
   */
  folders: 'none' | 'lost' | 'there' | 'gone' | 'elsewhere';
  /** One of them was this same folder under another path. */
  isSameFolder: boolean;
  /**
   * Who asks: a person; an agent in its own folder; an agent elsewhere in the repository of its own folder; an agent below
   * or beside it, where whatever stands there may be its own work.
   */
  asker: 'person' | 'agent' | 'agent-in-repository' | 'agent-below';
}

/**
 * `claimed`, `worktree`, `origin`, `origin-moved` and `local-clone` resolve; `first-claim`, `moved` and `elsewhere` do so
 * once this folder is recorded; `refuse-agent` waits for a person, who would be let in; `refuse` asks a person to decide.
 */
export type EvidenceDecision =
  | 'claimed'
  | 'worktree'
  | 'origin'
  | 'origin-moved'
  | 'local-clone'
  | 'first-claim'
  | 'moved'
  | 'elsewhere'
  | 'refuse-agent'
  | 'refuse';

export interface EvidenceRule extends Conditions<EvidenceCase> {
  when: string;
  /** One of these has to hold as well. */
  either?: readonly Conditions<EvidenceCase>[];
  decision: EvidenceDecision;
}

/** What all rules after the first two have in common: a path that another repository took over has claimed nothing. */
const newcomer = { claimed: ['never', 'taken-over'], worktree: ['none', 'of-refused'] } as const;
const anOwnRepository = ['person', 'agent', 'agent-in-repository'] as const;
const anOwnFolder = ['person', 'agent'] as const;
const notItsFolder = ['agent-in-repository', 'agent-below'] as const;
const sameOrigin = { ...newcomer, originHere: ['project’s'], originInProject: ['known'] } as const;
const localClone = { ...newcomer, originHere: ['local-claimer'], path: ['same'] } as const;
/** No origin connects the folder with the project. */
const unconnected = {
  ...newcomer,
  either: [
    { originHere: ['none', 'other'] },
    { originHere: ['project’s'], originInProject: ['none', 'unclear'] },
    { originHere: ['local-claimer'], path: ['moved', 'other'] },
  ],
} as const;

/** Each rule that admits somebody, followed by the one for agents, which have to wait for a person. */
const originRules: readonly EvidenceRule[] = [
  {
    when: 'the folder has the project’s origin and its path inside',
    ...sameOrigin,
    path: ['same'],
    asker: anOwnRepository,
    decision: 'origin',
  },
  {
    when: 'the project’s folder moved within its repository',
    ...sameOrigin,
    path: ['moved'],
    asker: anOwnRepository,
    decision: 'origin-moved',
  },
  {
    when: 'an agent first shows the project’s origin below its folder',
    ...sameOrigin,
    path: ['same', 'moved'],
    asker: ['agent-below'],
    decision: 'refuse-agent',
  },
  {
    when: 'the origin is the project’s, the place in it another',
    ...sameOrigin,
    path: ['other'],
    decision: 'refuse',
  },
  {
    when: 'the folder is a clone of one on this machine that claimed the project',
    ...localClone,
    asker: anOwnRepository,
    decision: 'local-clone',
  },
  {
    when: 'an agent first shows a clone below its folder',
    ...localClone,
    asker: ['agent-below'],
    decision: 'refuse-agent',
  },
];

/** A project that records nothing goes to whoever claims it first. */
const blank = { ...unconnected, originInProject: ['none'], folders: ['none'] } as const;

const firstClaimRules: readonly EvidenceRule[] = [
  {
    when: 'the project has no folder and no origin, and the config has its id',
    ...blank,
    by: ['id'],
    asker: anOwnFolder,
    decision: 'first-claim',
  },
  {
    when: 'an agent would be the first to claim it, in a folder that is not its own',
    ...blank,
    by: ['id'],
    asker: notItsFolder,
    decision: 'refuse-agent',
  },
  {
    when: 'the project has no folder and no origin, and a person names it',
    ...blank,
    by: ['name'],
    asker: ['person'],
    decision: 'first-claim',
  },
  {
    when: 'the project has no folder and no origin, and an agent names it',
    ...blank,
    by: ['name'],
    asker: ['agent', 'agent-in-repository', 'agent-below'],
    decision: 'refuse-agent',
  },
];

/** Neither side has an origin, and the project records folders. */
const without = { ...newcomer, originHere: ['none'], originInProject: ['none'] } as const;
const withoutById = { ...without, by: ['id'] } as const;
const withoutByFolder = { ...without, by: ['name'], isSameFolder: [true] } as const;

const movedRules: readonly EvidenceRule[] = [
  {
    when: 'the project’s folders on this machine are gone, and this one has its id',
    ...withoutById,
    folders: ['gone'],
    asker: anOwnFolder,
    decision: 'moved',
  },
  {
    when: 'the project’s folders are other machines’, and this one has its id',
    ...withoutById,
    folders: ['elsewhere'],
    asker: anOwnFolder,
    decision: 'elsewhere',
  },
  {
    when: 'an agent shows the id of a project whose folders are gone, in a folder that is not its own',
    ...withoutById,
    folders: ['gone', 'elsewhere'],
    asker: notItsFolder,
    decision: 'refuse-agent',
  },
  {
    when: 'the project’s own folder was renamed',
    ...withoutByFolder,
    folders: ['gone'],
    asker: anOwnFolder,
    decision: 'moved',
  },
  {
    when: 'the project’s own folder is on a machine with another name',
    ...withoutByFolder,
    folders: ['elsewhere'],
    asker: anOwnFolder,
    decision: 'elsewhere',
  },
  {
    when: 'the project’s own folder was renamed, and is not the agent’s',
    ...withoutByFolder,
    folders: ['gone', 'elsewhere'],
    asker: notItsFolder,
    decision: 'refuse-agent',
  },
  {
    when: 'another folder has only the name',
    ...without,
    by: ['name'],
    isSameFolder: [false],
    folders: ['gone', 'elsewhere'],
    decision: 'refuse',
  },
  {
    when: 'a folder of the project is there: this one is a copy',
    ...without,
    folders: ['there'],
    decision: 'refuse',
  },
];

/** Disjoint, and together total: every case has exactly one rule. */
export const evidenceRules: readonly EvidenceRule[] = [
  { when: 'this folder claimed the project before', claimed: ['fits'], decision: 'claimed' },
  {
    when: 'the main checkout of this worktree would be resolved',
    claimed: ['never', 'taken-over'],
    worktree: ['of-resolved'],
    decision: 'worktree',
  },
  ...originRules,
  ...firstClaimRules,
  ...movedRules,
  {
    when: 'what the project’s folders were is lost',
    ...unconnected,
    originInProject: ['none'],
    folders: ['lost'],
    decision: 'refuse',
  },
  {
    when: 'the folder has an origin, and the project none but folders',
    ...newcomer,
    either: [{ originHere: ['other', 'project’s'] }, { originHere: ['local-claimer'], path: ['moved', 'other'] }],
    originInProject: ['none'],
    folders: ['there', 'gone', 'elsewhere'],
    decision: 'refuse',
  },
  {
    when: 'the project has an origin, and the folder none or another',
    ...unconnected,
    originInProject: ['known', 'unclear'],
    decision: 'refuse',
  },
];

/** Whether the facts let a folder claim a project. Total: every case has one rule. */
export function decideEvidence(evidenceCase: EvidenceCase): EvidenceDecision {
  const rule = evidenceRules.find((candidate) => fitsRule(candidate, evidenceCase));
  if (!rule) throw new Error(`no evidence rule for ${JSON.stringify(evidenceCase)}`);
  return rule.decision;
}

/** Whether a rule is the one for a case. */
export function fitsRule(rule: EvidenceRule, evidenceCase: EvidenceCase): boolean {
  return holds(rule, evidenceCase) && (rule.either?.some((one) => holds(one, evidenceCase)) ?? true);
}
