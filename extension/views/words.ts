import type { AddressSource, SyncState } from '../../daemon/protocol/model.ts';

/** A path as people read it: the home folder as `~`. */
export function shortPath(path: string, home: string): string {
  const isInHome = path === home || path.startsWith(`${home}/`) || path.startsWith(`${home}\\`);
  return home.length > 1 && isInHome ? `~${path.slice(home.length)}` : path;
}

/** Whether a folder is another one or below it. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`) || path.startsWith(`${root}\\`);
}

/** A path that leaves room beside it on a row: a long one as its last part. */
export function briefPath(path: string, home: string): string {
  const short = shortPath(path, home);
  return short.length <= 24 ? short : `…${/[\\/][^\\/]*$/.exec(short)?.[0] ?? short.slice(-24)}`;
}

/** Whether an answer from memory comes from a server that is down; else the registry is busy, full, closed or read-only. */
export function isServerDown(sync: SyncState | null): boolean {
  return (sync?.error?.code ?? 'REGISTRY_UNREACHABLE') === 'REGISTRY_UNREACHABLE';
}

/** `now`, `12 s ago`, `3 min ago`, `2 h ago`. */
export function ago(iso: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(iso)) / 1000));
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`;
}

/** How long `ago` may stand as it is, ms: seconds a little longer than they are true, as nobody counts along. */
export function untilOtherTime(iso: string, now: Date): number {
  const passedMs = Math.max(0, now.getTime() - Date.parse(iso));
  if (passedMs < 60_000) return 5000;
  const unitMs = passedMs < 3_600_000 ? 60_000 : 3_600_000;
  return unitMs - (passedMs % unitMs) + 1;
}

export function sizeText(bytes: number): string {
  const megabytes = bytes / 1_048_576;
  if (megabytes < 1) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return megabytes < 1024 ? `${Math.round(megabytes)} MB` : `${(megabytes / 1024).toFixed(1)} GB`;
}

export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** Whose server it is. */
export function ownerWord(source: AddressSource): string {
  return source === 'bundled' ? 'bundled' : 'yours';
}

/** What chose the server. */
export const sourceWords: Record<AddressSource, string> = {
  bundled: 'the one that comes with Registrar',
  environment: 'named by the environment',
  setting: 'named by the settings',
  file: 'chosen with registrar postgres',
  argument: 'named when the daemon was started',
};

/** Whether a text tells people to type a command of the terminal. */
export function namesCommand(text: string): boolean {
  return /\bregistrar [a-z]/.test(text);
}

/** With a capital first, as messages of servers begin without one; names and commands stay as they are written. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const isWord = /^[a-z]+ /.test(trimmed) && !trimmed.startsWith('registrar ');
  const capital = isWord ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
