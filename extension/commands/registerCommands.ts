import * as vscode from 'vscode';
import { commandIds, type CommandId } from '../contributions.ts';
import { openConfig } from './openConfig.ts';

const handlers: Record<CommandId, () => Promise<void>> = {
  [commandIds.openConfig]: openConfig,
};

/** Registers every command of the manifest, each wrapped the same way: what it throws is shown, never lost. */
export function registerCommands(): vscode.Disposable {
  return vscode.Disposable.from(
    ...Object.entries(handlers).map(([id, handler]) => vscode.commands.registerCommand(id, () => run(handler))),
  );
}

async function run(handler: () => Promise<void>): Promise<void> {
  try {
    await handler();
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
