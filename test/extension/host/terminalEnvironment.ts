import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from './waitFor.ts';

/** The environment of a terminal that is opened now. */
export async function environmentOfTerminal(): Promise<string> {
  const file = path.join(process.env.REGISTRAR_HOME ?? '?', 'terminal.txt');
  await rm(file, { force: true });
  const closed = new Promise<void>((resolve) => {
    const listening = vscode.window.onDidCloseTerminal((terminal) => {
      if (terminal.name !== 'environment') return;
      listening.dispose();
      resolve();
    });
  });
  const shellArgs = ['-c', `env > '${file}'`];
  vscode.window.createTerminal({ name: 'environment', shellPath: '/bin/sh', shellArgs });
  await closed;
  return readFile(file, 'utf8');
}

/** Which variables a terminal gets is told to the part of VS Code that opens it, which says nothing of it. */
export async function terminalOnce(what: string, isSo: (environment: string) => boolean): Promise<string> {
  let environment = '';
  const look = async (): Promise<boolean> => isSo((environment = await environmentOfTerminal()));
  await waitFor(what, look, 30_000, () => environment);
  return environment;
}
