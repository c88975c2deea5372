import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { FolderVerdict } from './verdict.ts';
import { namesCommand, sentence, shortPath } from './words.ts';

interface ConflictDetails {
  project?: { name: string };
  projects?: unknown[];
  origin?: string | null;
  folderOrigin?: string | null;
  folders?: ({ path: string } | null)[];
  choices?: string[];
}

/** The folder may not have the project that it names; the reason comes first, as a row is short. */
export function conflict(title: string, error: ErrorReport, home: string): FolderVerdict {
  const { choices = [], ...details } = (error.details ?? {}) as ConflictDetails;
  const [canShare, canRename] = [choices.includes('use'), choices.includes('rename')];
  return {
    verdict: 'conflict',
    title,
    summary: conflictSummary(choices, details, home),
    troubles: [
      {
        kind: !canShare ? 'conflict-name' : canRename ? 'conflict' : 'conflict-share',
        message: conflictMessage(error.message, details).replaceAll(home, '~'),
        advice: !canShare
          ? adviceOf(error)
          : canRename
            ? 'Choose another name, or share its database.'
            : 'Share its database again, or remove the binding.',
        isError: true,
        needsSomeone: true,
      },
    ],
  };
}

function adviceOf({ hint }: ErrorReport): string {
  return namesCommand(hint) ? '' : sentence(hint);
}

function conflictSummary(
  choices: readonly string[],
  { projects, origin, folderOrigin, folders }: ConflictDetails,
  home: string,
): string {
  if (choices.includes('init')) {
    const isOther = typeof origin === 'string' && origin !== folderOrigin;
    return isOther ? 'belongs to another repository' : 'belongs to another folder';
  }
  if (choices.includes('remove')) return 'another repository is here now';
  if (projects) return 'id and name disagree';
  const owner = folders?.[0];
  return owner ? `also claimed by ${shortPath(owner.path, home)}` : 'also claimed elsewhere';
}

function conflictMessage(message: string, { project, origin, folderOrigin }: ConflictDetails): string {
  if (!project || typeof origin !== 'string' || folderOrigin === undefined || origin === folderOrigin) {
    return sentence(message);
  }
  const here = folderOrigin === null ? 'has no origin' : `is ${folderOrigin}`;
  return `${project.name} is ${origin}; this folder ${here}. Nothing was read or made.`;
}
