import * as vscode from 'vscode';
import type { Resolution } from '../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { CommandId } from '../contributions.ts';
import { curesOf } from '../views/cures.ts';
import { messageText } from '../views/inertText.ts';
import { folderTarget, type TreeNode } from '../views/treeNodes.ts';
import { namesCommand } from '../views/words.ts';
import type { WorkspaceFolder } from '../windowState.ts';

/**
 * Says why something was refused, with what helps as buttons. The hint is left out where it is a command of the terminal
 * and a button does the same.
 *
 * @param failed the command that was refused; null when none was
 * @param row what the buttons act on; absent where they ask themselves
 */
export async function offerCures(report: ErrorReport, failed: CommandId | null, row?: TreeNode): Promise<void> {
  const offered = curesOf(report, failed);
  const text = offered.length > 0 && namesCommand(report.hint) ? report.message : `${report.message} ${report.hint}`;
  const chosen = await vscode.window.showErrorMessage(messageText(text), ...offered);
  const target: TreeNode = { id: 'refusal', label: report.code, ...row, refusal: report };
  if (chosen) await vscode.commands.executeCommand(chosen.command, target);
}

/** Of a terminal that was opened without the variables of its project, or with those of before. */
export function offerTerminalCures(report: ErrorReport, folder: WorkspaceFolder, resolution: Resolution | null): void {
  const message = `New terminals get no database. ${report.message}`;
  const row = { id: `folder:${folder.path}`, label: folder.name, ...folderTarget(folder, resolution) };
  void offerCures({ ...report, message }, null, row);
}
