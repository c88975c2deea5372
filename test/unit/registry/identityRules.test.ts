import assert from 'node:assert/strict';
import { decideIdentity, identityRules, type IdentityCase } from '../../../daemon/registry/identityRules.ts';

const every: IdentityCase[] = [];
for (const id of ['absent', 'row', 'former', 'unknown'] as const)
  for (const name of ['none', 'same', 'other'] as const)
    for (const evidence of ['unclaimed', 'same-folder', 'gone-folder', 'same-origin', 'unrelated'] as const)
      for (const folderClaimedRowName of [true, false])
        for (const marker of ['none', 'live', 'forgotten'] as const) {
          // A name can only be the id's own row's where the id found one.
          if (name === 'same' && (id === 'absent' || id === 'unknown')) continue;
          every.push({ id, name, evidence, folderClaimedRowName, marker });
        }

/** The same decisions, said as nested questions instead of an ordered table. */
function expected({ id, name, evidence, folderClaimedRowName, marker }: IdentityCase): string {
  const isRelated = evidence !== 'unrelated';
  if (id === 'row' || id === 'former') {
    if (name === 'same') return 'use';
    if (name === 'other') return 'refuse-contradiction';
    return folderClaimedRowName ? 'rename' : 'use-name-differs';
  }
  if (id === 'unknown') {
    if (marker === 'forgotten') return 'refuse-forgotten';
    if (name === 'none') return marker === 'live' ? 'reserve-marked' : 'reserve';
    if (marker === 'live') return 'refuse-conflict';
    return isRelated ? 're-key' : 'refuse-conflict';
  }
  if (name === 'none') {
    return { none: 'reserve', live: 'refuse-unlisted', forgotten: 'refuse-forgotten' }[marker];
  }
  return {
    unclaimed: 'claim-folder',
    'same-folder': 'use',
    'gone-folder': 'move-folder',
    'same-origin': 'use',
    unrelated: 'refuse-conflict',
  }[evidence];
}

describe('the identity rules', () => {
  it('decide every case as its questions say', () => {
    assert.equal(every.length, 300);
    for (const identityCase of every) {
      assert.equal(decideIdentity(identityCase), expected(identityCase), JSON.stringify(identityCase));
    }
  });

  it('hold no rule that no case reaches', () => {
    const reached = new Set(
      every.map((identityCase) => identityRules.findIndex((rule) => decideWith(rule, identityCase))),
    );
    assert.deepEqual(
      [...reached].sort((a, b) => a - b),
      [...identityRules.keys()],
    );
  });

  it('never touch a row that a different folder or repository owns', () => {
    for (const identityCase of every.filter(
      ({ id, name }) => (id === 'absent' || id === 'unknown') && name === 'other',
    )) {
      if (identityCase.evidence !== 'unrelated') continue;
      assert.match(decideIdentity(identityCase), /^refuse-/, JSON.stringify(identityCase));
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

function decideWith(rule: (typeof identityRules)[number], identityCase: IdentityCase): boolean {
  return (
    rule.id.includes(identityCase.id) &&
    (rule.name ?? [identityCase.name]).includes(identityCase.name) &&
    (rule.evidence ?? [identityCase.evidence]).includes(identityCase.evidence) &&
    (rule.folderClaimedRowName ?? identityCase.folderClaimedRowName) === identityCase.folderClaimedRowName &&
    (rule.marker ?? [identityCase.marker]).includes(identityCase.marker)
  );
}
