import type { Resolution } from '../../daemon/protocol/model.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { isWithin } from './words.ts';

/** What a person may choose if a folder may not claim the project that it names. */
export interface ConflictChoice {
  /** Absolute; the folder that the choice is about. */
  directory: string;
  /** The project whose database it may share, and whether on this machine alone; null where there is none. */
  share: { project: string; local: boolean } | null;
  /** A name for a database of its own, which changes no file; null if only the config can decide it. */
  proposal: string | null;
}

interface ConflictDetails {
  name?: string;
  project?: { id: string };
  projects?: { id: string }[];
  folder?: string | null;
  proposal?: string;
  choices?: string[];
}

export function conflictChoice({ error }: Resolution, { path }: WorkspaceFolder): ConflictChoice {
  const { name, project, projects, folder, proposal, choices = [] } = (error?.details ?? {}) as ConflictDetails;
  // A worktree of a conflicting checkout decides for itself.
  const directory = typeof folder === 'string' && isWithin(path, folder) ? folder : path;
  // What was bound on this machine alone is bound so again.
  const local = choices.includes('remove');
  const shared = project?.id ?? projects?.[0]?.id ?? name;
  return {
    directory,
    share: choices.includes('use') && shared !== undefined ? { project: shared, local } : null,
    proposal: choices.includes('init') ? (proposal ?? null) : null,
  };
}

/** The folder whose config names the project: the workspace folder, or one above it. */
export function claimingFolder({ configPath }: Resolution, { path }: WorkspaceFolder): string {
  const [, folder] = /^(.+)[\\/]\.codebase-mcp[\\/]config\.json$/.exec(configPath ?? '') ?? [];
  return folder !== undefined && isWithin(path, folder) ? folder : path;
}
