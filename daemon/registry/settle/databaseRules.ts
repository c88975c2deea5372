import { holds, type Conditions } from '../conditions.ts';
import type { RowState } from '../model.ts';

/** Everything that decides whether a row's database may be used, and what must be done to it first. */
export interface DatabaseCase {
  state: RowState;
  presence: 'present' | 'absent' | 'interrupted';
  /** The database's marker: this project's, none, another project's or registry's, or this project's but forgotten. */
  marker: 'mine' | 'none' | 'other' | 'forgotten';
  /** Whether the database's owner may speak for projects; a ready row whose marker agrees needs no owner to say so. */
  owner: 'believed' | 'stranger';
  /** Whether the database holds relations of a user; asked only for an unmarked database of a reserved row. */
  relations: 'none' | 'some';
  /** Another database carries this project's marker: somebody renamed it without Registrar. */
  elsewhere: boolean;
  /** True when the name came from the config: then nobody but its author may choose another. */
  nameChosen: boolean;
  /** A person asked for a new, empty database in the place of one that is gone. */
  remake: boolean;
}

export type DatabaseDecision =
  | 'use'
  | 'restore-marker'
  | 'create'
  | 'finish'
  | 'next-name'
  | 'recreate'
  | 'finish-drop'
  | 'refuse-dropping'
  | 'refuse-forgotten'
  | 'refuse-foreign'
  | 'refuse-stranger'
  | 'refuse-occupied'
  | 'refuse-renamed'
  | 'refuse-missing';

interface Rule extends Conditions<DatabaseCase> {
  when: string;
  state: RowState;
  decision: DatabaseDecision;
}

/** The first rule that fits decides. The last of each group has no further condition, so every case is decided. */
export const databaseRules: readonly Rule[] = [
  { when: 'the project is being dropped', state: 'dropping', decision: 'refuse-dropping' },

  { when: 'a DROP was cut short', state: 'ready', presence: 'interrupted', decision: 'finish-drop' },
  { when: 'the database was renamed', state: 'ready', presence: 'absent', elsewhere: true, decision: 'refuse-renamed' },
  {
    when: 'the database is gone, and a person asked for a new one',
    state: 'ready',
    presence: 'absent',
    remake: true,
    decision: 'recreate',
  },
  { when: 'the database is gone', state: 'ready', presence: 'absent', decision: 'refuse-missing' },
  { when: 'row and marker agree', state: 'ready', marker: 'mine', decision: 'use' },
  { when: 'a stranger’s is in its place', state: 'ready', owner: 'stranger', decision: 'refuse-stranger' },
  { when: 'the database carries no marker', state: 'ready', marker: 'none', decision: 'restore-marker' },
  { when: 'the project was forgotten', state: 'ready', marker: 'forgotten', decision: 'refuse-forgotten' },
  { when: 'the database is somebody else’s', state: 'ready', decision: 'refuse-foreign' },

  { when: 'a DROP was cut short', state: 'provisioning', presence: 'interrupted', decision: 'finish-drop' },
  { when: 'the database is not there yet', state: 'provisioning', presence: 'absent', decision: 'create' },
  {
    when: 'a stranger has the chosen name',
    state: 'provisioning',
    owner: 'stranger',
    nameChosen: true,
    decision: 'refuse-stranger',
  },
  { when: 'a stranger has the name', state: 'provisioning', owner: 'stranger', decision: 'next-name' },
  { when: 'a creation was interrupted', state: 'provisioning', marker: 'mine', decision: 'finish' },
  { when: 'the project was forgotten', state: 'provisioning', marker: 'forgotten', decision: 'refuse-forgotten' },
  { when: 'created, not marked yet', state: 'provisioning', marker: 'none', relations: 'none', decision: 'finish' },
  { when: 'someone’s data is in the way', state: 'provisioning', marker: 'none', decision: 'refuse-occupied' },
  { when: 'another project has the chosen name', state: 'provisioning', nameChosen: true, decision: 'refuse-foreign' },
  { when: 'another project has the name', state: 'provisioning', decision: 'next-name' },
];

/** What to do about a row's database next. Total: every case has a rule. */
export function decideDatabase(databaseCase: DatabaseCase): DatabaseDecision {
  const rule = databaseRules.find((candidate) => holds(candidate, databaseCase));
  if (!rule) throw new Error(`no database rule for ${JSON.stringify(databaseCase)}`);
  return rule.decision;
}
