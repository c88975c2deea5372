import assert from 'node:assert/strict';
import { databaseRules, decideDatabase, type DatabaseCase } from '../../../../daemon/registry/settle/databaseRules.ts';

const every: DatabaseCase[] = [];
for (const state of ['provisioning', 'ready', 'dropping'] as const)
  for (const presence of ['present', 'absent', 'interrupted'] as const)
    for (const marker of ['mine', 'none', 'other', 'forgotten'] as const)
      for (const owner of ['believed', 'stranger'] as const)
        for (const relations of ['none', 'some'] as const)
          for (const elsewhere of [true, false])
            for (const nameChosen of [true, false])
              for (const remake of [true, false]) {
                // What is not there has no marker.
                if (presence === 'absent' && marker !== 'none') continue;
                every.push({ state, presence, marker, owner, relations, elsewhere, nameChosen, remake });
              }

function expected({ state, presence, marker, owner, relations, elsewhere, nameChosen, remake }: DatabaseCase): string {
  if (state === 'dropping') return 'refuse-dropping';
  if (presence === 'interrupted') return 'finish-drop';
  if (presence === 'absent') {
    if (state === 'provisioning') return 'create';
    if (elsewhere) return 'refuse-renamed';
    return remake ? 'recreate' : 'refuse-missing';
  }
  if (owner === 'stranger') {
    if (state === 'ready') return marker === 'mine' ? 'use' : 'refuse-stranger';
    return nameChosen ? 'refuse-stranger' : 'next-name';
  }
  if (marker === 'forgotten') return 'refuse-forgotten';
  if (state === 'ready') return { mine: 'use', none: 'restore-marker', other: 'refuse-foreign' }[marker];
  if (marker === 'mine') return 'finish';
  if (marker === 'none') return relations === 'none' ? 'finish' : 'refuse-occupied';
  return nameChosen ? 'refuse-foreign' : 'next-name';
}

describe('the database rules', () => {
  it('decide every case as its questions say', () => {
    assert.equal(every.length, 864);
    for (const databaseCase of every) {
      assert.equal(decideDatabase(databaseCase), expected(databaseCase), JSON.stringify(databaseCase));
    }
  });

  it('use a database only when its row is ready and its marker agrees', () => {
    for (const databaseCase of every) {
      const isUsed = decideDatabase(databaseCase) === 'use';
      const agrees =
        databaseCase.state === 'ready' && databaseCase.presence === 'present' && databaseCase.marker === 'mine';
      assert.equal(isUsed, agrees, JSON.stringify(databaseCase));
    }
  });

  it('never let a stranger’s database pass for one that is being made, whatever it says of itself', () => {
    for (const databaseCase of every) {
      if (databaseCase.owner !== 'stranger' || databaseCase.state !== 'provisioning') continue;
      if (databaseCase.presence !== 'present') continue;
      assert.match(decideDatabase(databaseCase), /^(?:refuse-stranger|next-name)$/, JSON.stringify(databaseCase));
    }
  });

  it('hold no decision that no case reaches', () => {
    const reached = new Set(every.map(decideDatabase));
    assert.deepEqual(
      databaseRules.filter(({ decision }) => !reached.has(decision)),
      [],
    );
  });
});
