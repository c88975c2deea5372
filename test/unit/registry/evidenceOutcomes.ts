import type { EvidenceCase, EvidenceDecision } from '../../../daemon/registry/evidence/evidenceRules.ts';

/**
 * What the design promises, written by hand by somebody who had not read the rules. Keep it so: when a rule and this page
 * disagree, ask the design which is right; never copy one from the other.
 *
 * @returns the decision that the design asks for; what it leaves open is the safer one
 */
export function expectedDecision(evidence: EvidenceCase): EvidenceDecision {
  if (evidence.claimed === 'fits') return 'claimed';
  if (evidence.worktree === 'of-resolved') return 'worktree';
  const forPerson = expectedForPerson(evidence);
  if (evidence.asker === 'person' || forPerson === 'refuse') return forPerson;
  return agentMayHave(forPerson, evidence) ? forPerson : 'refuse-agent';
}

/** What a person gets whose folder never claimed the project and is no worktree of one that did. */
function expectedForPerson(evidence: EvidenceCase): EvidenceDecision {
  switch (evidence.originHere) {
    case 'project’s':
      // One of several remotes of a version 0.1 row may be a template that strangers share.
      if (evidence.originInProject === 'unclear') return 'refuse';
      if (evidence.originInProject === 'none') return expectedOfFirst(evidence);
      if (evidence.path === 'same') return 'origin';
      return evidence.path === 'moved' ? 'origin-moved' : 'refuse';
    case 'local-claimer':
      return evidence.path === 'same' ? 'local-clone' : expectedOfFirst(evidence);
    case 'other':
      return expectedOfFirst(evidence);
    case 'none':
      return expectedWithoutOrigin(evidence);
  }
}

function expectedWithoutOrigin(evidence: EvidenceCase): EvidenceDecision {
  if (evidence.originInProject !== 'none') return 'refuse';
  if (evidence.folders === 'none') return expectedOfFirst(evidence);
  const isMeant = evidence.by === 'id' || evidence.isSameFolder;
  if (isMeant && evidence.folders === 'gone') return 'moved';
  if (isMeant && evidence.folders === 'elsewhere') return 'elsewhere';
  return 'refuse';
}

/** A project that records nothing belongs to whoever comes first, wherever the folder comes from. */
function expectedOfFirst(evidence: EvidenceCase): EvidenceDecision {
  return evidence.folders === 'none' && evidence.originInProject === 'none' ? 'first-claim' : 'refuse';
}

/** An agent may have written every file that it can reach: below its folder, also the `.git` that names an origin. */
function agentMayHave(forPerson: EvidenceDecision, evidence: EvidenceCase): boolean {
  const restsOnOrigin = forPerson === 'origin' || forPerson === 'origin-moved' || forPerson === 'local-clone';
  if (restsOnOrigin) return evidence.asker !== 'agent-below';
  if (evidence.asker !== 'agent') return false;
  return forPerson !== 'first-claim' || evidence.by === 'id';
}

/** A person's folder that has the id of a project of this machine, and nothing else to show. */
const idAlone: EvidenceCase = {
  by: 'id',
  claimed: 'never',
  worktree: 'none',
  originHere: 'none',
  originInProject: 'none',
  path: 'other',
  folders: 'there',
  isSameFolder: false,
  asker: 'person',
};
const nameAlone: EvidenceCase = { ...idAlone, by: 'name' };
/** The project's origin is the folder's, and so is its place in the repository. */
const clone: EvidenceCase = { ...idAlone, originHere: 'project’s', originInProject: 'known', path: 'same' };
const otherRepository: EvidenceCase = { ...idAlone, originHere: 'other', originInProject: 'known' };
const recordsNothing: EvidenceCase = { ...idAlone, folders: 'none' };

interface Situation {
  when: string;
  facts: EvidenceCase;
  outcome: EvidenceDecision;
}

/** Situations that people and agents meet, one by one. */
export const situations: readonly Situation[] = [
  // Claimed before.
  { when: 'the folder that made the project asks again', facts: { ...idAlone, claimed: 'fits' }, outcome: 'claimed' },
  {
    when: 'the config of such a folder lost its id in a checkout',
    facts: { ...nameAlone, claimed: 'fits' },
    outcome: 'claimed',
  },
  {
    when: 'a repository that claimed without an origin got one since',
    facts: { ...idAlone, claimed: 'fits', originHere: 'other' },
    outcome: 'claimed',
  },
  {
    when: 'the origin of a folder that claimed was renamed or transferred',
    facts: { ...otherRepository, claimed: 'fits' },
    outcome: 'claimed',
  },
  {
    when: 'an agent asks below its folder, where a person worked before',
    facts: { ...otherRepository, claimed: 'fits', asker: 'agent-below' },
    outcome: 'claimed',
  },
  {
    when: 'the row was made again from a marker without evidence, and this machine remembers the folder',
    facts: { ...nameAlone, claimed: 'fits', folders: 'lost' },
    outcome: 'claimed',
  },

  // A path that another repository took over.
  {
    when: 'another repository was cloned to the path of one that claimed, with its id',
    facts: { ...otherRepository, claimed: 'taken-over' },
    outcome: 'refuse',
  },
  {
    when: 'another repository was cloned to the path of one that claimed, with its name',
    facts: { ...otherRepository, by: 'name', claimed: 'taken-over' },
    outcome: 'refuse',
  },
  {
    when: 'the path was taken over, but by a fresh clone of the project’s origin',
    facts: { ...clone, claimed: 'taken-over' },
    outcome: 'origin',
  },

  // Linked worktrees.
  {
    when: 'a linked worktree of the main checkout',
    facts: { ...clone, worktree: 'of-resolved' },
    outcome: 'worktree',
  },
  {
    when: 'a linked worktree of a repository without an origin, by name',
    facts: { ...nameAlone, worktree: 'of-resolved' },
    outcome: 'worktree',
  },
  {
    when: 'an agent adds a linked worktree below its folder',
    facts: { ...idAlone, worktree: 'of-resolved', asker: 'agent-below' },
    outcome: 'worktree',
  },
  {
    when: 'a linked worktree of a stranger’s repository that carries the id',
    facts: { ...otherRepository, worktree: 'of-refused' },
    outcome: 'refuse',
  },
  {
    when: 'a branch moved the package, and only its worktree has it at the new place',
    facts: { ...clone, worktree: 'of-refused', path: 'moved' },
    outcome: 'origin-moved',
  },
  { when: 'a worktree of a `.bare` repository, which has no main checkout', facts: clone, outcome: 'origin' },
  {
    when: 'a worktree of a `.bare` repository without an origin, beside one that claimed',
    facts: idAlone,
    outcome: 'refuse',
  },

  // The same origin.
  { when: 'a second clone of the same origin on this machine, by id', facts: clone, outcome: 'origin' },
  { when: 'a second clone whose config has no id', facts: { ...clone, by: 'name' }, outcome: 'origin' },
  {
    when: 'a clone on another machine',
    facts: { ...clone, by: 'name', folders: 'elsewhere' },
    outcome: 'origin',
  },
  {
    when: 'a clone in a container that has a new host name',
    facts: { ...clone, folders: 'elsewhere', isSameFolder: true },
    outcome: 'origin',
  },
  {
    when: 'a clone meets a row that was made again with the evidence of its marker',
    facts: { ...clone, by: 'name', folders: 'lost' },
    outcome: 'origin',
  },
  {
    when: 'a clone meets a row of version 0.1 that lists one remote',
    facts: { ...clone, by: 'name' },
    outcome: 'origin',
  },
  {
    when: 'a clone meets a row of version 0.1 that lists several remotes',
    facts: { ...clone, originInProject: 'unclear' },
    outcome: 'refuse',
  },
  {
    when: 'the folder of a version 0.1 row that lists several remotes asks itself',
    facts: { ...clone, originInProject: 'unclear', claimed: 'fits' },
    outcome: 'claimed',
  },
  {
    when: 'a folder without an origin has the id of a version 0.1 row that lists several remotes',
    facts: { ...idAlone, originInProject: 'unclear', folders: 'elsewhere' },
    outcome: 'refuse',
  },
  {
    when: 'a package of a monorepo was moved to another folder of it',
    facts: { ...clone, by: 'name', path: 'moved' },
    outcome: 'origin-moved',
  },
  {
    when: 'two packages of one monorepo have one name',
    facts: { ...clone, by: 'name', path: 'other' },
    outcome: 'refuse',
  },

  // A local clone.
  {
    when: 'a local clone of a folder that claimed',
    facts: { ...nameAlone, originHere: 'local-claimer', path: 'same' },
    outcome: 'local-clone',
  },
  {
    when: 'another package of a local clone has the name',
    facts: { ...nameAlone, originHere: 'local-claimer', path: 'other' },
    outcome: 'refuse',
  },

  // Another origin, or none where the project has one.
  { when: 'an unrelated repository carries id and name', facts: otherRepository, outcome: 'refuse' },
  {
    when: 'an unrelated repository carries the name',
    facts: { ...otherRepository, by: 'name', folders: 'elsewhere' },
    outcome: 'refuse',
  },
  {
    when: 'a GitHub fork of a repository whose folders are all gone',
    facts: { ...otherRepository, path: 'same', folders: 'gone' },
    outcome: 'refuse',
  },
  {
    when: 'a repository shares only its template remote with the project',
    facts: { ...otherRepository, by: 'name', path: 'same' },
    outcome: 'refuse',
  },
  {
    when: 'a repository with an origin has the id of a project without one',
    facts: { ...idAlone, originHere: 'other', folders: 'gone' },
    outcome: 'refuse',
  },
  {
    when: 'a ZIP of the repository without its `.git`',
    facts: { ...idAlone, originInProject: 'known', folders: 'elsewhere' },
    outcome: 'refuse',
  },
  {
    when: 'a moved folder lost its `.git` meanwhile',
    facts: { ...idAlone, originInProject: 'known', folders: 'gone', isSameFolder: true },
    outcome: 'refuse',
  },

  // Neither has an origin.
  { when: 'a copy beside its original', facts: idAlone, outcome: 'refuse' },
  { when: 'an unrelated folder has the name', facts: nameAlone, outcome: 'refuse' },
  { when: 'a moved folder with its id', facts: { ...idAlone, folders: 'gone' }, outcome: 'moved' },
  {
    when: 'a moved folder without its id, on the same disk',
    facts: { ...nameAlone, folders: 'gone', isSameFolder: true },
    outcome: 'moved',
  },
  {
    when: 'a folder has the name of one that is gone',
    facts: { ...nameAlone, folders: 'gone' },
    outcome: 'refuse',
  },
  {
    when: 'a laptop gets the folder of a desktop, with its id',
    facts: { ...idAlone, folders: 'elsewhere' },
    outcome: 'elsewhere',
  },
  {
    when: 'laptop and desktop have unrelated folders of one name',
    facts: { ...nameAlone, folders: 'elsewhere' },
    outcome: 'refuse',
  },
  {
    when: 'a mounted folder without an id in a container that has a new host name',
    facts: { ...nameAlone, folders: 'elsewhere', isSameFolder: true },
    outcome: 'elsewhere',
  },
  {
    when: 'one of two folders that the project records was moved',
    facts: { ...idAlone, folders: 'there', isSameFolder: true },
    outcome: 'refuse',
  },

  // Nothing is recorded, or what was is lost.
  { when: 'a row of codebase-mcp by id', facts: recordsNothing, outcome: 'first-claim' },
  {
    when: 'a row of codebase-mcp by name, from the command line or a window',
    facts: { ...recordsNothing, by: 'name', originHere: 'other' },
    outcome: 'first-claim',
  },
  {
    when: 'a row of codebase-mcp by id, over MCP',
    facts: { ...recordsNothing, originHere: 'other', asker: 'agent' },
    outcome: 'first-claim',
  },
  {
    when: 'a row of codebase-mcp by name, over MCP',
    facts: { ...recordsNothing, by: 'name', asker: 'agent' },
    outcome: 'refuse-agent',
  },
  {
    when: 'a row without folders that records an origin, by id',
    facts: { ...otherRepository, folders: 'none' },
    outcome: 'refuse',
  },
  { when: 'a rebuilt row without evidence, by id', facts: { ...idAlone, folders: 'lost' }, outcome: 'refuse' },
  { when: 'a rebuilt row without evidence, by name', facts: { ...nameAlone, folders: 'lost' }, outcome: 'refuse' },

  // Agents.
  { when: 'an agent in a fresh clone', facts: { ...clone, by: 'name', asker: 'agent' }, outcome: 'origin' },
  {
    when: 'an agent asks for another package of the monorepo that it was started in',
    facts: { ...clone, asker: 'agent-in-repository' },
    outcome: 'origin',
  },
  {
    when: 'an agent in a folder that came from another machine, with its id',
    facts: { ...idAlone, folders: 'elsewhere', asker: 'agent' },
    outcome: 'elsewhere',
  },
  {
    when: 'an agent writes a `.git` with the project’s origin below its folder',
    facts: { ...clone, asker: 'agent-below' },
    outcome: 'refuse-agent',
  },
  {
    when: 'an agent writes the id of a project that records nothing below its folder',
    facts: { ...recordsNothing, asker: 'agent-below' },
    outcome: 'refuse-agent',
  },
  {
    when: 'an agent writes the id of a project that records nothing into its repository',
    facts: { ...recordsNothing, asker: 'agent-in-repository' },
    outcome: 'refuse-agent',
  },
  {
    when: 'an agent writes the id of another machine’s project into its repository',
    facts: { ...idAlone, folders: 'elsewhere', asker: 'agent-in-repository' },
    outcome: 'refuse-agent',
  },
  {
    when: 'an agent writes the id of a project of this machine below its folder',
    facts: { ...otherRepository, asker: 'agent-below' },
    outcome: 'refuse',
  },
];
