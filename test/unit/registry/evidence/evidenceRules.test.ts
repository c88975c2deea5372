import assert from 'node:assert/strict';
import {
  decideEvidence,
  evidenceRules,
  fitsRule,
  type EvidenceCase,
  type EvidenceDecision,
} from '../../../../daemon/registry/evidence/evidenceRules.ts';
import { expectedDecision, situations } from '../evidenceOutcomes.ts';

type TextFact = Exclude<keyof EvidenceCase, 'isSameFolder'>;

/** Every value of every fact; the compiler refuses a list that lacks one. */
const factValues: { [Fact in TextFact]: Record<EvidenceCase[Fact], true> } = {
  by: { id: true, name: true },
  claimed: { never: true, fits: true, 'taken-over': true },
  worktree: { none: true, 'of-resolved': true, 'of-refused': true },
  originHere: { none: true, 'project’s': true, 'local-claimer': true, other: true },
  originInProject: { none: true, known: true, unclear: true },
  path: { same: true, moved: true, other: true },
  folders: { none: true, lost: true, there: true, gone: true, elsewhere: true },
  asker: { person: true, agent: true, 'agent-in-repository': true, 'agent-below': true },
};
const every = everyCase();

describe('the rules of evidence', () => {
  it('hold exactly one rule for every combination of facts (I2)', () => {
    assert.equal(every.length, 25_920);
    const undecided = every.flatMap((facts) => {
      const fitting = evidenceRules.filter((rule) => fitsRule(rule, facts)).map(({ when }) => when);
      return fitting.length === 1 ? [] : [{ facts, fitting }];
    });
    assertNone(undecided);
  });

  it('decide every combination as the one rule says that fits (I2)', () => {
    const different = every.filter((facts) => {
      const rule = evidenceRules.find((candidate) => fitsRule(candidate, facts));
      return decideEvidence(facts) !== rule?.decision;
    });
    assertNone(different);
  });

  it('hold no rule that no combination reaches (I2)', () => {
    const unreached = evidenceRules.filter((rule) => !every.some((facts) => fitsRule(rule, facts)));
    assertNone(unreached);
  });

  it('decide every combination as it was written by hand (I2)', () => {
    const different = every.flatMap((facts) => {
      const expected = expectedDecision(facts);
      const actual = decideEvidence(facts);
      return actual === expected ? [] : [{ facts, expected, actual }];
    });
    assertNone(different);
  });

  describe('in situations that people and agents meet', () => {
    for (const { when, facts, outcome } of situations) {
      it(`answer ${outcome}: ${when}`, () => {
        assert.equal(expectedDecision(facts), outcome, 'the two things written by hand agree');
        assert.equal(decideEvidence(facts), outcome);
      });
    }

    it('meet every decision at least once', () => {
      const met = new Set(situations.map(({ outcome }) => outcome));
      assertNone(evidenceRules.filter(({ decision }) => !met.has(decision)));
    });
  });
});

describe('the rules of evidence as promises', () => {
  it('let nobody in by id or name where the project has an origin that the folder has not (I1)', () => {
    for (const facts of strangers(every)) {
      if (facts.originInProject === 'none') continue;
      if (facts.originHere === 'none' || facts.originHere === 'other') assertDecision(facts, 'refuse');
    }
  });

  it('let a folder of another origin claim only what records nothing (I1)', () => {
    for (const facts of strangers(every).filter(({ originHere }) => originHere === 'other')) {
      const recordsNothing = facts.folders === 'none' && facts.originInProject === 'none';
      if (recordsNothing) assertDecision(facts, 'first-claim', 'refuse-agent');
      else assertDecision(facts, 'refuse');
    }
  });

  it('let nobody in by a name alone where the project records anything (I4)', () => {
    for (const facts of strangers(every)) {
      if (facts.by === 'id' || facts.isSameFolder || facts.folders === 'none') continue;
      if (facts.originHere === 'none' || facts.originHere === 'other') assertDecision(facts, 'refuse');
    }
  });

  it('let in every folder that claimed before, whoever asks (I2)', () => {
    for (const facts of every.filter(({ claimed }) => claimed === 'fits')) assertDecision(facts, 'claimed');
  });

  it('treat a path that another repository took over like one that never claimed (I2)', () => {
    for (const facts of every.filter(({ claimed }) => claimed === 'taken-over')) {
      assertDecision(facts, decideEvidence({ ...facts, claimed: 'never' }));
    }
  });

  it('count an earlier claim only where there is one, and a worktree only of a resolved checkout', () => {
    for (const facts of every) {
      const decision = decideEvidence(facts);
      if (decision === 'claimed') assert.equal(facts.claimed, 'fits', JSON.stringify(facts));
      if (decision === 'worktree') assert.equal(facts.worktree, 'of-resolved', JSON.stringify(facts));
    }
  });

  it('let an agent below its folder in only by an earlier claim or a verified worktree (I9)', () => {
    for (const facts of strangers(every).filter(({ asker }) => asker === 'agent-below')) {
      assertDecision(facts, 'refuse-agent', 'refuse');
    }
  });

  it('let an agent elsewhere in its repository in only by that repository’s origin (I9)', () => {
    for (const facts of strangers(every).filter(({ asker }) => asker === 'agent-in-repository')) {
      assertDecision(facts, 'origin', 'origin-moved', 'local-clone', 'refuse-agent', 'refuse');
    }
  });

  it('give an agent what a person would get, or let it wait for one (I9)', () => {
    for (const facts of every.filter(({ asker }) => asker !== 'person')) {
      const forPerson = decideEvidence({ ...facts, asker: 'person' });
      if (forPerson === 'refuse') assertDecision(facts, 'refuse');
      else assertDecision(facts, forPerson, 'refuse-agent');
    }
  });

  it('let no person wait for a person', () => {
    for (const facts of every.filter(({ asker }) => asker === 'person')) {
      assert.notEqual(decideEvidence(facts), 'refuse-agent', JSON.stringify(facts));
    }
  });

  it('give no agent a project that records nothing by its name (I4)', () => {
    for (const facts of every.filter(({ by, asker }) => by === 'name' && asker !== 'person')) {
      assert.notEqual(decideEvidence(facts), 'first-claim', JSON.stringify(facts));
    }
  });

  it('make a first claim only of a project that records nothing, and never of one whose folders were lost (I10)', () => {
    for (const facts of every.filter((candidate) => decideEvidence(candidate) === 'first-claim')) {
      assert.equal(facts.folders, 'none', JSON.stringify(facts));
      assert.equal(facts.originInProject, 'none', JSON.stringify(facts));
    }
  });

  it('let no copy in beside its original (I3)', () => {
    for (const facts of strangers(every)) {
      if (facts.originHere === 'none' && facts.folders === 'there') assertDecision(facts, 'refuse');
    }
  });

  it('follow a moved folder only where neither side has an origin and no folder of this machine is left (I4)', () => {
    for (const facts of every) {
      const decision = decideEvidence(facts);
      if (decision !== 'moved' && decision !== 'elsewhere') continue;
      assert.equal(facts.originHere, 'none', JSON.stringify(facts));
      assert.equal(facts.originInProject, 'none', JSON.stringify(facts));
      assert.equal(facts.folders, decision === 'moved' ? 'gone' : 'elsewhere', JSON.stringify(facts));
      assert.ok(facts.by === 'id' || facts.isSameFolder, JSON.stringify(facts));
    }
  });

  it('count an origin only for the same place in the repository, or one that this checkout moved (I3)', () => {
    for (const facts of every) {
      const decision = decideEvidence(facts);
      if (decision === 'origin' || decision === 'local-clone') assert.equal(facts.path, 'same', JSON.stringify(facts));
      if (decision === 'origin-moved') assert.equal(facts.path, 'moved', JSON.stringify(facts));
      if (decision === 'origin' || decision === 'origin-moved') {
        assert.equal(facts.originHere, 'project’s', JSON.stringify(facts));
        assert.equal(facts.originInProject, 'known', JSON.stringify(facts));
      }
      if (decision === 'local-clone') assert.equal(facts.originHere, 'local-claimer', JSON.stringify(facts));
    }
  });
});

/** Those whose folder has no claim that fits and is no worktree of a checkout that would be resolved. */
function strangers(cases: readonly EvidenceCase[]): EvidenceCase[] {
  return cases.filter(({ claimed, worktree }) => claimed !== 'fits' && worktree !== 'of-resolved');
}

function assertDecision(facts: EvidenceCase, ...allowed: EvidenceDecision[]): void {
  const decision = decideEvidence(facts);
  assert.ok(allowed.includes(decision), `${decision} instead of ${allowed.join(' or ')}: ${JSON.stringify(facts)}`);
}

/** Shows the first few of what should not be there: thousands would hide what they have in common. */
function assertNone(found: readonly unknown[]): void {
  const shown = found.slice(0, 5).map((one) => JSON.stringify(one));
  assert.equal(found.length, 0, `${String(found.length)} found, such as\n${shown.join('\n')}`);
}

function everyCase(): EvidenceCase[] {
  let cases: object[] = [{ isSameFolder: true }, { isSameFolder: false }];
  for (const [fact, values] of Object.entries(factValues)) {
    cases = cases.flatMap((one) => Object.keys(values).map((value) => ({ ...one, [fact]: value })));
  }
  return cases as EvidenceCase[];
}
