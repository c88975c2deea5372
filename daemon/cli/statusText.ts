import { clockTime } from '../protocol/clockTime.ts';
import type { LastingWrites } from '../protocol/agentSql.ts';
import type { AttachedClient, DaemonStatus, EventsTrouble } from '../protocol/control.ts';
import type { AddressSource, ServerLabel } from '../protocol/model.ts';
import { syncText } from './syncText.ts';
import { shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';

/** What the daemon does now, one subject a line, without a line break at the end. */
export function statusText(status: DaemonStatus, view: TextView): string {
  const { version, pid, uptimeMs, server, error, clients, agents, sync, pool, memoryBytes } = status;
  const megabytes = Math.round(memoryBytes / 1_048_576);
  return [
    `daemon: ${version}, process ${pid}, up ${duration(uptimeMs)}, ${megabytes} MB`,
    `state: ${shown(status.stateFolder, view.home)}`,
    ...serverLines(server, error, view),
    `windows: ${counted(clients, 'window')}`,
    ...clients.filter(({ kind }) => kind === 'window').flatMap((client) => folderLines(client, view)),
    `agents: ${agents.length}`,
    ...agents.map(
      ({ name, directory, lastSeenAt }) =>
        `  ${shown(name, view.home)}  ${shown(directory ?? 'no directory', view.home)}  ${clockTime(lastSeenAt, view.now)}`,
    ),
    ...lastingLines(status.lastingWrites ?? [], view),
    ...eventsLines(status.events ?? null, view),
    ...(sync ? [syncText(sync, view), `deliveries: ${sync.delivered} delivered, ${sync.failed} failed`] : []),
    ...(pool ? [`connections: ${pool.open} open, ${pool.idle} idle, ${pool.waiting} waiting`] : []),
  ].join('\n');
}

/** Empty if the registry records events. */
function eventsLines(trouble: EventsTrouble | null, { home, paint }: TextView): string[] {
  if (!trouble) return [];
  return [
    `events: not kept, ${shown(trouble.reason, home)}`,
    `  ${paint('cyan', 'next:')} ${shown(trouble.hint, home)}`,
  ];
}

/** For the person who may close them; docs/security.md says more. */
function lastingLines(databases: readonly LastingWrites[], { home, paint }: TextView): string[] {
  const [first] = databases;
  if (!first) return [];
  const names = databases.map(({ databaseName }) => shown(databaseName, home)).join(', ');
  const functions = [...new Set(databases.flatMap((database) => database.functions))].map((name) => shown(name, home));
  return [
    `agents' SQL may call ${functions.join(', ')}, which a rollback does not undo, in: ${names}`,
    `  ${paint('cyan', 'next:')} as a superuser, in each: REVOKE EXECUTE ON FUNCTION ${functions.join(', ')} FROM PUBLIC;`,
  ];
}

function serverLines(
  server: DaemonStatus['server'],
  error: DaemonStatus['error'],
  { home, paint }: TextView,
): string[] {
  if (server) return [`server: ${serverText(server, home)}`];
  if (!error) return ['server: not opened yet'];
  return [`server: none, ${shown(error.message, home)}`, `  ${paint('cyan', 'next:')} ${shown(error.hint, home)}`];
}

/** An address and where it was set. */
export function serverText({ address, source }: ServerLabel, home: string): string {
  return `${shown(address, home)} (${sourceWords[source]})`;
}

const sourceWords: Record<AddressSource, string> = {
  bundled: 'bundled',
  environment: 'from the environment',
  setting: 'from VS Code',
  file: 'chosen',
  argument: 'from --database-url',
};

function counted(clients: readonly AttachedClient[], kind: AttachedClient['kind']): string {
  return String(clients.filter((client) => client.kind === kind).length);
}

function folderLines({ folders }: AttachedClient, { home }: TextView): string[] {
  return folders.map(({ path, trusted }) => `  ${shown(path, home)}${trusted ? '' : '  restricted'}`);
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
