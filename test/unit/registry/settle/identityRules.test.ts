import assert from 'node:assert/strict';
import { holds } from '../../../../daemon/registry/conditions.ts';
import { decideIdentity, identityRules, type IdentityCase } from '../../../../daemon/registry/settle/identityRules.ts';

const every: IdentityCase[] = [];
for (const id of ['absent', 'row', 'former', 'unknown'] as const)
  for (const name of ['none', 'same', 'other'] as const)
    for (const evidence of ['own', 'worktree', 'first', 'moved', 'none'] as const)
      for (const folderClaimedRowName of [true, false])
        for (const marker of ['none', 'shown', 'live', 'forgotten'] as const) {
          // A name can only be the id's own row's where the id found one.
          if (name === 'same' && (id === 'absent' || id === 'unknown')) continue;
          every.push({ id, name, evidence, folderClaimedRowName, marker });
        }

/** The same decisions, said as nested questions instead of an ordered table. */
function expected({ id, name, evidence, folderClaimedRowName, marker }: IdentityCase): string {
  if (id === 'row' || id === 'former') {
    if (name === 'other') return 'refuse-contradiction';
    if (evidence === 'none') return 'refuse-conflict';
    if (evidence === 'first') return 'claim-folder';
    if (evidence === 'moved') return 'move-folder';
    if (name === 'same') return 'use';
    return evidence === 'own' && folderClaimedRowName ? 'rename' : 'use-name-differs';
  }
  if (id === 'unknown') {
    if (marker === 'forgotten') return 'refuse-forgotten';
    if (name === 'none') {
      return { none: 'reserve', shown: 'reserve-marked', live: 'refuse-unlisted' }[marker];
    }
    if (marker !== 'none') return 'refuse-conflict';
    return evidence === 'none' || evidence === 'worktree' ? 'refuse-conflict' : 're-key';
  }
  if (name === 'none') {
    return { none: 'reserve', shown: 'refuse-unlisted', live: 'refuse-unlisted', forgotten: 'refuse-forgotten' }[
      marker
    ];
  }
  return { first: 'claim-folder', own: 'use', worktree: 'use', moved: 'move-folder', none: 'refuse-conflict' }[
    evidence
  ];
}

describe('the identity rules', () => {
  it('decide every case as its questions say', () => {
    assert.equal(every.length, 400);
    for (const identityCase of every) {
      assert.equal(decideIdentity(identityCase), expected(identityCase), JSON.stringify(identityCase));
    }
  });

  it('hold no rule that no case reaches', () => {
    const reached = new Set(every.map((identityCase) => identityRules.findIndex((rule) => holds(rule, identityCase))));
    assert.deepEqual(
      [...reached].sort((a, b) => a - b),
      [...identityRules.keys()],
    );
  });

  it('I1: never touch a row with which nothing connects the folder, whatever the config says', () => {
    for (const identityCase of every.filter(({ evidence }) => evidence === 'none')) {
      const isOfRow = identityCase.id === 'row' || identityCase.id === 'former' || identityCase.name !== 'none';
      if (isOfRow) assert.match(decideIdentity(identityCase), /^refuse-/, JSON.stringify(identityCase));
    }
  });

  it('H1: never rename or re-key from a linked worktree', () => {
    for (const identityCase of every.filter(({ evidence }) => evidence === 'worktree')) {
      assert.doesNotMatch(decideIdentity(identityCase), /^(?:rename|re-key)$/, JSON.stringify(identityCase));
    }
  });

  it('never bring back what was forgotten', () => {
    for (const identityCase of every.filter(
      ({ id, marker }) => id !== 'row' && id !== 'former' && marker === 'forgotten',
    )) {
      if (identityCase.id === 'absent' && identityCase.name !== 'none') continue;
      assert.equal(decideIdentity(identityCase), 'refuse-forgotten', JSON.stringify(identityCase));
    }
  });
});
