import type * as vscode from 'vscode';
import { registerCommands } from './commands/registerCommands.ts';

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(registerCommands());
}
