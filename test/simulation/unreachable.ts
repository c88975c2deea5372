/** What these histories have none of, by its whole name, and why. Whoever adds it to them takes it from here. */
export const unreachable: Readonly<Record<string, string>> = {
  ...each(everyTrouble('list'), 'listings ask it, and decide nothing'),
  ...each(
    [
      'killed at only-config',
      'rule evidence: origin-moved: the project’s folder moved within its repository',
      'rule evidence: refuse: the origin is the project’s, the place in it another',
    ],
    'every folder is the root of its repository',
  ),
  ...each(['rule evidence: refuse: another folder has only the name'], 'no folder moves'),
  ...each(
    [
      'rule evidence: elsewhere: the project’s folders are other machines’, and this one has its id',
      'rule evidence: elsewhere: the project’s own folder is on a machine with another name',
    ],
    'there is one machine',
  ),
  ...each(
    ['rule evidence: local-clone: the folder is a clone of one on this machine that claimed the project'],
    'no origin is a path',
  ),
  ...each(
    ['rule evidence: worktree: the main checkout of this worktree would be resolved'],
    'no repository has worktrees',
  ),
  ...each(
    [
      'rule evidence: refuse-agent: an agent first shows the project’s origin below its folder',
      'rule evidence: refuse-agent: an agent first shows a clone below its folder',
      'rule evidence: refuse-agent: an agent would be the first to claim it, in a folder that is not its own',
      'rule evidence: refuse-agent: the project has no folder and no origin, and an agent names it',
      'rule evidence: refuse-agent: an agent shows the id of a project whose folders are gone, in a folder that is not its own',
      'rule evidence: refuse-agent: the project’s own folder was renamed, and is not the agent’s',
    ],
    'only people ask',
  ),
  ...each(
    ['rule outbox: pending given-up', 'rule outbox: parked given-up'],
    'an entry that is given up is removed without asking the table',
  ),
};

/** What can happen, and is not looked for: 20,000 histories have it a few times or not at all. */
export const seldom: ReadonlySet<string> = new Set([
  ...['delete', 'ended', 'hold', 'ids', 'look-held', 'merge', 'own-word', 'read-back', 'read-forgotten'].flatMap(
    everyTrouble,
  ),
  'rule database: provisioning: next-name: another project has the name',
  'rule database: provisioning: refuse-foreign: another project has the chosen name',
  'rule database: provisioning: refuse-forgotten: the project was forgotten',
  'rule database: ready: refuse-foreign: the database is somebody else’s',
  'rule database: ready: refuse-forgotten: the project was forgotten',
  'rule evidence: moved: the project’s folders on this machine are gone, and this one has its id',
  'rule evidence: moved: the project’s own folder was renamed',
  'rule identity: id absent: move-folder: the folder moved',
  'rule identity: id row or former: move-folder: the folder moved',
  'rule outbox: parked changed',
  'rule outbox: parked delivered',
  'rule outbox: parked failed',
  'rule outbox: parked forgotten',
]);

function each(names: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

function everyTrouble(point: string): string[] {
  return [`fault away at ${point}`, `fault lost at ${point}`, `killed at ${point}`];
}
