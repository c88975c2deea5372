import { holds, type Conditions } from '../conditions.ts';

/** Everything that decides which row a config file's claim stands for. */
export interface IdentityCase {
  /** The claim's id: absent, a row's id, a row's former id, or known to no row. */
  id: 'absent' | 'row' | 'former' | 'unknown';
  /** The row that has the claim's name: none, the same row that the id found, or another. */
  name: 'none' | 'same' | 'other';
  /**
   * What the asking folder's evidence says about the row that the id found, otherwise about the one that the name
   * found: `own` the folder is one of the project's, `worktree` a linked worktree of one, `first` and `moved` it
   * becomes one when the row records it, `none` nothing connects them. Read only if there is a row.
   */
  evidence: 'own' | 'worktree' | 'first' | 'moved' | 'none';
  /** True when the name that this folder last claimed is the row's name: then a new name in its config is a rename. */
  folderClaimedRowName: boolean;
  /**
   * What the markers of this registry's databases say if no row answers: `shown` a database carries the claim's id (or,
   * without an id, its name), no row lists it, and the folder is one of its project's; `live` the same, but nothing
   * connects the folder with it; `forgotten` someone unregistered it on purpose.
   */
  marker: 'none' | 'shown' | 'live' | 'forgotten';
}

export type IdentityDecision =
  | 'use'
  | 'use-name-differs'
  | 'claim-folder'
  | 'move-folder'
  | 'rename'
  | 're-key'
  | 'reserve'
  | 'reserve-marked'
  | 'refuse-conflict'
  | 'refuse-contradiction'
  | 'refuse-unlisted'
  | 'refuse-forgotten';

interface Rule extends Conditions<IdentityCase> {
  when: string;
  id: readonly IdentityCase['id'][];
  decision: IdentityDecision;
}

/** The first rule that fits decides. The last of each group has no further condition, so every case is decided. */
export const identityRules: readonly Rule[] = [
  // The id is known. It says which project is meant; the evidence says whether this folder may claim it.
  {
    when: 'id and name point at two projects',
    id: ['row', 'former'],
    name: ['other'],
    decision: 'refuse-contradiction',
  },
  { when: 'a stranger has the id', id: ['row', 'former'], evidence: ['none'], decision: 'refuse-conflict' },
  { when: 'nobody has claimed the project', id: ['row', 'former'], evidence: ['first'], decision: 'claim-folder' },
  { when: 'the folder moved', id: ['row', 'former'], evidence: ['moved'], decision: 'move-folder' },
  { when: 'id and name agree', id: ['row', 'former'], name: ['same'], decision: 'use' },
  {
    when: 'this folder changed the name',
    id: ['row', 'former'],
    evidence: ['own'],
    folderClaimedRowName: true,
    decision: 'rename',
  },
  { when: 'the name was changed elsewhere', id: ['row', 'former'], decision: 'use-name-differs' },

  // The id is known to no row, but a database carries it.
  { when: 'the id was forgotten', id: ['unknown'], marker: ['forgotten'], decision: 'refuse-forgotten' },
  {
    when: 'the row of the id was lost',
    id: ['unknown'],
    name: ['none'],
    marker: ['shown'],
    decision: 'reserve-marked',
  },
  { when: 'a stranger has a lost id', id: ['unknown'], name: ['none'], marker: ['live'], decision: 'refuse-unlisted' },
  {
    when: 'the id is an unlisted database, the name a project',
    id: ['unknown'],
    marker: ['shown', 'live'],
    decision: 'refuse-conflict',
  },

  // The id is known nowhere.
  { when: 'nobody has id or name', id: ['unknown'], name: ['none'], decision: 'reserve' },
  {
    when: 'the name is another’s, or a worktree changed the id',
    id: ['unknown'],
    evidence: ['none', 'worktree'],
    decision: 'refuse-conflict',
  },
  { when: 'the folder changed the id', id: ['unknown'], decision: 're-key' },

  // No id: the name counts as far as the evidence supports it.
  {
    when: 'the name was forgotten',
    id: ['absent'],
    name: ['none'],
    marker: ['forgotten'],
    decision: 'refuse-forgotten',
  },
  {
    when: 'an unlisted database has the name',
    id: ['absent'],
    name: ['none'],
    marker: ['shown', 'live'],
    decision: 'refuse-unlisted',
  },
  { when: 'nobody has the name', id: ['absent'], name: ['none'], decision: 'reserve' },
  { when: 'no folder has claimed the name', id: ['absent'], evidence: ['first'], decision: 'claim-folder' },
  { when: 'the folder moved', id: ['absent'], evidence: ['moved'], decision: 'move-folder' },
  { when: 'a folder of the project', id: ['absent'], evidence: ['own', 'worktree'], decision: 'use' },
  { when: 'an unrelated folder has the name', id: ['absent'], decision: 'refuse-conflict' },
];

/** Which row a claim stands for, or what must happen first. Total: every case has a rule. */
export function decideIdentity(identityCase: IdentityCase): IdentityDecision {
  const rule = identityRules.find((candidate) => holds(candidate, identityCase));
  if (!rule) throw new Error(`no identity rule for ${JSON.stringify(identityCase)}`);
  return rule.decision;
}
