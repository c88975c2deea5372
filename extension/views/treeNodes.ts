import type { FolderState, Snapshot } from '../../daemon/protocol/control.ts';
import type { Attempt, ListedProject, Resolution } from '../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { WindowState, WorkspaceFolder } from '../windowState.ts';
import { folderVerdict } from './folderVerdict.ts';
import type { FolderVerdict, Trouble } from './verdict.ts';
import { codeSpan, escapeMarkdown } from './inertText.ts';
import { ago, briefPath, counted, isWithin, ownerWord, shortPath, sizeText, sourceWords } from './words.ts';
import { stateWords } from '../../daemon/protocol/stateWords.ts';

/** A row of the tree before VS Code has drawn it. */
export interface TreeNode {
  /** Stable for the same thing, so that rows stay open and selected. */
  id: string;
  label: string;
  description?: string;
  /** A product icon, and its colour's id. */
  icon?: string;
  color?: string;
  /** Markdown. */
  tooltip?: string;
  /** What a screen reader says; label and description when absent. */
  spoken?: string;
  /** What `when` clauses of the manifest know it by. */
  context?: string;
  state?: 'open' | 'closed';
  /** Absent for rows that are asked for when they are opened. */
  children?: TreeNode[];
  /** What commands on this row act on. */
  folder?: WorkspaceFolder;
  resolution?: Resolution;
  project?: Pick<ListedProject, 'id' | 'name' | 'databaseName'>;
  database?: string;
  /** What was refused, where that is not the resolution's. */
  refusal?: ErrorReport;
}

export interface TreeView {
  home: string;
  now: Date;
  /** What the list of all projects is narrowed to; empty for none. */
  filter: string;
}

export const allProjectsId = 'projects';

/** The rows that the snapshot alone decides: the window's folders, then the list of all projects, which is read when opened. */
export function treeNodes(state: WindowState, view: TreeView): TreeNode[] {
  const { snapshot, isTrusted, folders } = state;
  const roots = folders.map((folder) => folderNode(folder, isTrusted, snapshot, view, folders.length > 1));
  if (!isTrusted || !snapshot?.server) return roots;
  return [...roots, allProjects(snapshot, view)];
}

/** How many rows wait for a person. */
export function badgeCount({ folders, isTrusted, snapshot, daemonError }: WindowState, view: TreeView): number {
  if (daemonError) return 0;
  return folders
    .flatMap((folder) => folderVerdict(folder, isTrusted, snapshot, view).troubles)
    .filter(({ needsSomeone }) => needsSomeone).length;
}

/** A row of the list of all projects. */
export function projectNode({ id, name, databaseName, description, sync, metadata }: ListedProject): TreeNode {
  const isDropping = (metadata['registrar'] as { state?: unknown } | undefined)?.state === 'dropping';
  const registered = sync.state === 'synced' ? '' : ` · ${stateWords[sync.state]}`;
  return {
    id: `project:${id}`,
    label: name,
    description: `${databaseName}${isDropping ? ' · being dropped' : registered}`,
    icon: isDropping ? 'trash' : sync.state === 'parked' ? 'warning' : 'database',
    context: isDropping ? 'project.dropping' : 'project',
    tooltip: markdown([
      `**${escapeMarkdown(name)}**`,
      escapeMarkdown(description ?? ''),
      `Database ${codeSpan(databaseName)}`,
      `Id ${codeSpan(id)}`,
    ]),
    project: { id, name, databaseName },
  };
}

const icons: Record<FolderVerdict['verdict'], [icon: string, color?: string]> = {
  waiting: ['loading~spin'],
  ready: ['database'],
  pending: ['database'],
  parked: ['warning', 'list.warningForeground'],
  stale: ['debug-disconnect', 'list.warningForeground'],
  conflict: ['error', 'list.errorForeground'],
  restricted: ['shield'],
  'no-project': ['circle-slash'],
  'not-made': ['circle-outline'],
  unfinished: ['circle-outline'],
  unreachable: ['debug-disconnect', 'list.errorForeground'],
  refused: ['error', 'list.errorForeground'],
};

function folderNode(
  folder: WorkspaceFolder,
  isTrusted: boolean,
  snapshot: Snapshot | null,
  view: TreeView,
  isOneOfSeveral: boolean,
): TreeNode {
  const verdict = folderVerdict(folder, isTrusted, snapshot, view);
  const state = snapshot?.folders.find(({ path }) => path === folder.path);
  const resolution = isTrusted ? (state?.resolution ?? null) : null;
  const id = `folder:${folder.path}`;
  const target = folderTarget(folder, resolution);
  const children = [
    ...distinct(verdict.troubles, ({ kind, message }) => `${id}/${kind === 'warning' ? message : kind}`).map(
      ([troubleId, trouble]) => troubleNode(troubleId, trouble, target),
    ),
    ...(state && resolution
      ? answerNodes(id, state, resolution, snapshot, view).map((node) => ({ ...node, ...target }))
      : []),
  ];
  const [icon, color] = icons[verdict.verdict];
  return {
    id,
    label: verdict.title,
    // Of several folders each says which it is, where the project has another name.
    description:
      isOneOfSeveral && verdict.title !== folder.name ? `${folder.name} · ${verdict.summary}` : verdict.summary,
    icon,
    ...(color === undefined ? {} : { color }),
    context: `folder.${resolution?.project ? 'project' : verdict.verdict}`,
    tooltip: folderTooltip(folder, verdict, resolution, view),
    // Open even before there is anything below: a row that had no children would stay closed when it gets some.
    state: 'open',
    children,
    ...target,
  };
}

function answerNodes(
  id: string,
  { path, database }: FolderState,
  resolution: Resolution,
  snapshot: Snapshot | null,
  view: TreeView,
): TreeNode[] {
  const { project, server } = resolution;
  if (!project) return resolution.trace.length > 0 ? [whyNode(id, 'Why?', resolution, view)] : [];
  const facts = database ? ` · ${sizeText(database.bytes)} · ${counted(database.tables, 'table')}` : '';
  const here = (snapshot?.agents ?? []).filter(({ directory }) => directory !== null && isWithin(directory, path));
  const agents = distinct(here, ({ name, directory }) => `${id}/agent:${name}:${directory ?? ''}`).map(
    ([agentId, agent]) => agentNode(agentId, agent, view),
  );
  return [
    ...(server
      ? [
          {
            id: `${id}/server`,
            label: 'Server',
            description: `${server.address} (${ownerWord(server.source)})${facts}`,
            icon: 'server',
            context: 'server',
            spoken: `Server ${server.address}, ${ownerWord(server.source)}${facts.replaceAll(' · ', ', ')}`,
            tooltip: markdown([
              `Database ${codeSpan(project.databaseName)} on ${codeSpan(server.address)}`,
              `The server: ${sourceWords[server.source]}`,
            ]),
          },
        ]
      : []),
    whyNode(id, `Why ${project.name}?`, resolution, view),
    ...(agents.length > 0
      ? [
          {
            id: `${id}/agents`,
            label: 'Agents here',
            description: String(agents.length),
            icon: 'hubot',
            context: 'agents',
            state: 'open' as const,
            children: agents,
          },
        ]
      : []),
  ];
}

function agentNode(id: string, { name, directory, lastSeenAt }: Snapshot['agents'][number], view: TreeView): TreeNode {
  const where = shortPath(directory ?? '', view.home);
  const when = ago(lastSeenAt, view.now);
  return {
    id,
    label: name,
    description: `${briefPath(directory ?? '', view.home)}   ${when}`,
    icon: 'hubot',
    context: 'agent',
    spoken: `${name} in ${where}, asked ${when}`,
    tooltip: markdown([`**${escapeMarkdown(name)}**`, `Works in ${codeSpan(where)}`, `Asked last ${when}`]),
  };
}

/** Each with a key of its own that does not depend on what else is in the list, but for those that are the same. */
function distinct<T>(items: readonly T[], keyOf: (item: T) => string): [key: string, item: T][] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const key = keyOf(item);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return [count === 1 ? key : `${key}#${count}`, item];
  });
}

/** What decided, in a few words. */
const becauseWords: Record<number, string> = {
  1: 'it was named',
  2: 'the config file says so',
  3: 'the workflow server says so',
  4: 'it is the default',
};

function whyNode(id: string, label: string, resolution: Resolution, view: TreeView): TreeNode {
  const { tier, outcome, trace, configPath } = resolution;
  const because = tier === null || outcome !== 'resolved' ? '' : (becauseWords[tier] ?? '');
  return {
    id: `${id}/why`,
    label,
    description: because,
    icon: 'question',
    context: configPath === null ? 'why' : 'why.config',
    state: outcome === 'refused' ? 'open' : 'closed',
    children: trace.map((attempt) => attemptNode(id, attempt, view)),
  };
}

const attemptIcons: Record<Attempt['outcome'], [icon: string, color?: string]> = {
  matched: ['check', 'testing.iconPassed'],
  missed: ['circle-slash'],
  skipped: ['dash'],
  failed: ['close', 'list.errorForeground'],
};

function attemptNode(id: string, attempt: Attempt, { home }: TreeView): TreeNode {
  const { name, outcome, reason, durationMs } = attempt;
  const word = name === 'identity' && outcome === 'matched' ? 'agrees' : outcome;
  const duration = outcome === 'skipped' || durationMs < 0.05 ? '' : ` · ${durationText(durationMs)}`;
  const said = reason.replaceAll(home, '~');
  const [icon, color] = attemptIcons[outcome];
  return {
    id: `${id}/why/${name}`,
    label: name,
    description: `${word}   ${said}${duration}`,
    icon,
    ...(color === undefined ? {} : { color }),
    spoken: `${name} ${word}: ${said}`,
    tooltip: markdown([`**${name}** ${word}`, escapeMarkdown(said)]),
  };
}

function durationText(durationMs: number): string {
  return durationMs >= 1000
    ? `${(durationMs / 1000).toFixed(1)} s`
    : `${durationMs.toFixed(durationMs < 100 ? 1 : 0)} ms`;
}

/** Troubles whose row and actions say it all; the rest is in the tooltip. */
const quietKinds: ReadonlySet<string> = new Set([
  'conflict',
  'conflict-share',
  'conflict-name',
  'stale',
  'not-made',
  'no-project',
  'restricted',
]);

function troubleNode(id: string, trouble: Trouble, target: Partial<TreeNode>): TreeNode {
  const { kind, message, advice, isError, needsSomeone } = trouble;
  const icon = isError ? 'error' : needsSomeone ? 'warning' : 'info';
  const color = isError ? 'list.errorForeground' : needsSomeone ? 'list.warningForeground' : undefined;
  return {
    id,
    label: message,
    ...(quietKinds.has(kind) || advice === '' ? {} : { description: advice }),
    icon: kind === 'pending' ? 'sync' : icon,
    ...(color === undefined ? {} : { color }),
    context: `trouble.${kind}`,
    tooltip: markdown([escapeMarkdown(message), escapeMarkdown(advice)]),
    spoken: `${message} ${advice}`.trim(),
    ...target,
  };
}

function allProjects({ projects }: Snapshot, { filter }: TreeView): TreeNode {
  const count = projects === null ? '' : String(projects);
  return {
    id: allProjectsId,
    label: 'All projects',
    description: filter === '' ? count : `those with “${filter}”`,
    icon: 'list-unordered',
    context: filter === '' ? 'projects' : 'projects.filtered',
    state: 'closed',
  };
}

function folderTooltip(
  folder: WorkspaceFolder,
  { title, summary, troubles }: FolderVerdict,
  resolution: Resolution | null,
  { home }: TreeView,
): string {
  const { project, server, configPath } = resolution ?? { project: null, server: null, configPath: null };
  return markdown([
    `**${escapeMarkdown(title)}** — ${escapeMarkdown(summary)}`,
    project?.description ? escapeMarkdown(project.description) : '',
    project ? `Database ${codeSpan(project.databaseName)}${server ? ` on ${codeSpan(server.address)}` : ''}` : '',
    project ? `Id ${codeSpan(project.id)}` : '',
    `Folder ${codeSpan(shortPath(folder.path, home))}`,
    configPath === null ? '' : `Config ${codeSpan(shortPath(configPath, home))}`,
    ...troubles.map(({ message, advice }) => escapeMarkdown(`${message} ${advice}`)),
  ]);
}

/** What commands on a folder's rows act on. */
export function folderTarget(
  folder: WorkspaceFolder,
  resolution: Resolution | null,
): Pick<TreeNode, 'folder' | 'resolution' | 'project'> {
  return { folder, ...(resolution ? { resolution } : {}), ...projectOf(resolution) };
}

/** The project that commands on a row act on: also the one whose database is gone. */
function projectOf(resolution: Resolution | null): Pick<TreeNode, 'project'> {
  const { project, error } = resolution ?? {};
  if (project) return { project: { id: project.id, name: project.name, databaseName: project.databaseName } };
  const { choices, project: missing, database } = (error?.details ?? {}) as MissingDetails;
  if (!missing || database === undefined || choices?.includes('remake') !== true) return {};
  return { project: { ...missing, databaseName: database } };
}

interface MissingDetails {
  choices?: string[];
  project?: { id: string; name: string };
  database?: string;
}

function markdown(paragraphs: readonly string[]): string {
  return paragraphs.filter((text) => text !== '').join('\n\n');
}
