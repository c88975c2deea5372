import * as vscode from 'vscode';

/** The outcome of an answer: after a problem, the question stays open with the answer in it. */
export type Checked<T> = { problem: string } | { value: T };

export interface Step<T> {
  title: string;
  prompt: string;
  value?: string;
  placeholder?: string;
  isPassword?: boolean;
  check: (answer: string) => Promise<Checked<T>> | Checked<T>;
}

/** One question of several, whose answer is tried before the next; null if it was cancelled. */
export function askStep<T>({ title, prompt, value, placeholder, isPassword, check }: Step<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const input = vscode.window.createInputBox();
    Object.assign(input, { title, prompt, value: value ?? '', placeholder, password: isPassword ?? false });
    // A password is often fetched from another window.
    input.ignoreFocusOut = true;
    const accept = async (): Promise<void> => {
      input.enabled = false;
      input.busy = true;
      try {
        const checked = await check(input.value);
        if ('value' in checked) {
          resolve(checked.value);
          input.hide();
          return;
        }
        input.validationMessage = checked.problem;
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        input.hide();
        return;
      }
      input.enabled = true;
      input.busy = false;
    };
    input.onDidChangeValue(() => {
      input.validationMessage = undefined;
    });
    input.onDidAccept(() => {
      if (input.enabled) void accept();
    });
    input.onDidHide(() => {
      resolve(null);
      input.dispose();
    });
    input.show();
  });
}
