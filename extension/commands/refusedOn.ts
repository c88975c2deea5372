import type { Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { folderTarget, type TreeNode } from '../views/treeNodes.ts';
import type { WorkspaceFolder } from '../windowState.ts';

/** A refusal with its row, so that the offered actions apply to the same thing. */
export class RefusedOn extends RegistrarError {
  readonly row: TreeNode;

  constructor(report: ErrorReport, row: TreeNode, cause?: unknown) {
    super(report, { cause });
    this.row = row;
  }
}

/** @throws RefusedOn what the daemon refuses */
export async function actingOn<T>(row: TreeNode, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RegistrarError) || error instanceof RefusedOn) throw error;
    throw new RefusedOn(error.toReport(), row, error);
  }
}

/** The refusal of an answer for a folder. */
export function refusedIn(folder: WorkspaceFolder, resolution: Resolution, error: ErrorReport): RefusedOn {
  return new RefusedOn(error, { id: `folder:${folder.path}`, label: folder.name, ...folderTarget(folder, resolution) });
}
