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

/** A message that asks for a click, and what it offers. */
export interface AskedMessage {
  message: string;
  isModal: boolean;
  detail: string;
  buttons: string[];
}

/**
 * Answers messages in place of a person while something runs, by the title of a button: VS Code shows no modal ones while
 * tests run.
 *
 * @param choose gives undefined for Escape
 */
export async function answeringMessages(
  choose: (asked: AskedMessage) => string | undefined,
  work: () => Promise<void>,
): Promise<AskedMessage[]> {
  const seen: AskedMessage[] = [];
  const originals = Object.fromEntries(kinds.map((kind) => [kind, vscode.window[kind]]));
  const answer = (message: string, ...rest: unknown[]): Promise<unknown> => {
    const options = rest.find((part) => part instanceof Object && !('title' in part)) as
      vscode.MessageOptions | undefined;
    const items = rest.filter((part) => part !== options) as (string | { title: string })[];
    const titleOf = (item: string | { title: string }): string => (typeof item === 'string' ? item : item.title);
    const { modal = false, detail = '' } = options ?? {};
    const asked = { message, isModal: modal, detail, buttons: items.map(titleOf) };
    seen.push(asked);
    const chosen = choose(asked);
    return Promise.resolve(items.find((item) => titleOf(item) === chosen));
  };
  Object.assign(vscode.window, Object.fromEntries(kinds.map((kind) => [kind, answer])));
  try {
    await work();
  } finally {
    Object.assign(vscode.window, originals);
  }
  return seen;
}
