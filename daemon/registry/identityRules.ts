import type { Evidence } from './evidence.ts';

/** Everything that decides which row a config file's claim stands for. */
export interface IdentityCase {
  /** The claim's id: absent, a row's id, a row's former id, or known to no row. */
  id: 'absent' | 'row' | 'former' | 'unknown';
  /** The row that has the claim's name: none, the same row that the id found, or another. */
  name: 'none' | 'same' | 'other';
  /** How the asking folder stands to the row that has the name; read only where the id decides nothing. */
  evidence: Evidence;
  /** True when the name that this folder last claimed is the row's name: then a new name in its config is a rename. */
  folderClaimedRowName: boolean;
  /**
   * What the markers of this registry's databases say where no row answers: `live` a database carries the claim's id (or,
   * without an id, its name) and no row lists it; `forgotten` the same, but someone unregistered it on purpose.
   */
  marker: 'none' | 'live' | 'forgotten';
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

interface Rule {
  when: string;
  id: readonly IdentityCase['id'][];
  name?: readonly IdentityCase['name'][];
  evidence?: readonly Evidence[];
  folderClaimedRowName?: boolean;
  marker?: readonly IdentityCase['marker'][];
  decision: IdentityDecision;
}

/** The first rule that fits decides. The last of each group has no further condition, so every case is decided. */
export const identityRules: readonly Rule[] = [
  // The id is known: it decides, and the name can only be a rename or a difference.
  { when: 'id and name agree', id: ['row', 'former'], name: ['same'], decision: 'use' },
  {
    when: 'id and name point at two projects',
    id: ['row', 'former'],
    name: ['other'],
    decision: 'refuse-contradiction',
  },
  { when: 'this folder changed the name', id: ['row', 'former'], folderClaimedRowName: true, decision: 'rename' },
  { when: 'the name was changed elsewhere', id: ['row', 'former'], decision: 'use-name-differs' },

  // The id is known to no row, but a database carries it.
  { when: 'the id was forgotten', id: ['unknown'], marker: ['forgotten'], decision: 'refuse-forgotten' },
  { when: 'the row of the id was lost', id: ['unknown'], name: ['none'], marker: ['live'], decision: 'reserve-marked' },
  {
    when: 'the id is an unlisted database, the name a project',
    id: ['unknown'],
    marker: ['live'],
    decision: 'refuse-conflict',
  },

  // The id is known nowhere.
  { when: 'nobody has id or name', id: ['unknown'], name: ['none'], decision: 'reserve' },
  { when: 'the name is another repository’s', id: ['unknown'], evidence: ['unrelated'], decision: 'refuse-conflict' },
  { when: 'the folder changed the id', id: ['unknown'], decision: 're-key' },

  // No id: the name counts as far as the evidence carries it.
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
    marker: ['live'],
    decision: 'refuse-unlisted',
  },
  { when: 'nobody has the name', id: ['absent'], name: ['none'], decision: 'reserve' },
  { when: 'no folder has claimed the name', id: ['absent'], evidence: ['unclaimed'], decision: 'claim-folder' },
  { when: 'this folder has the name', id: ['absent'], evidence: ['same-folder'], decision: 'use' },
  { when: 'the folder moved', id: ['absent'], evidence: ['gone-folder'], decision: 'move-folder' },
  { when: 'another checkout of the same place', id: ['absent'], evidence: ['same-origin'], decision: 'use' },
  { when: 'an unrelated folder has the name', id: ['absent'], decision: 'refuse-conflict' },
];

/** Which row a claim stands for, or what must happen first. Total: every case has a rule. */
export function decideIdentity(identityCase: IdentityCase): IdentityDecision {
  const rule = identityRules.find((candidate) => fits(candidate, identityCase));
  if (!rule) throw new Error(`no identity rule for ${JSON.stringify(identityCase)}`);
  return rule.decision;
}

function fits(rule: Rule, identityCase: IdentityCase): boolean {
  return (
    rule.id.includes(identityCase.id) &&
    (rule.name?.includes(identityCase.name) ?? true) &&
    (rule.evidence?.includes(identityCase.evidence) ?? true) &&
    (rule.folderClaimedRowName === undefined || rule.folderClaimedRowName === identityCase.folderClaimedRowName) &&
    (rule.marker?.includes(identityCase.marker) ?? true)
  );
}
