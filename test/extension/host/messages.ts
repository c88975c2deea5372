import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const kinds = ['showInformationMessage', 'showWarningMessage', 'showErrorMessage'] as const;

/** Notes every message that pops up from here on, also one that has gone again when somebody looks. */
export function recordMessages(): { assertNone(): void; stop(): void } {
  const seen: string[] = [];
  const originals = kinds.map((kind) => [kind, vscode.window[kind]] as const);
  for (const kind of kinds) {
    vscode.window[kind] = (message: string) => {
      seen.push(`${kind}: ${message}`);
      return Promise.resolve(undefined);
    };
  }
  return {
    assertNone: () => {
      assert.deepEqual(seen, []);
    },
    stop: () => {
      Object.assign(vscode.window, Object.fromEntries(originals));
    },
  };
}
