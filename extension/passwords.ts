import type * as vscode from 'vscode';

/** Passwords in VS Code's secret storage, each for the one address that it was given for. */
export class Passwords {
  readonly #secrets: vscode.SecretStorage;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
  }

  /** @param url without password, as in the setting */
  async of(url: string): Promise<string | null> {
    return (await this.#secrets.get(keyOf(url))) ?? null;
  }

  /** @param password null if the server requires none, or if it comes from elsewhere */
  async keep(url: string, password: string | null): Promise<void> {
    if (password === null) await this.#secrets.delete(keyOf(url));
    else await this.#secrets.store(keyOf(url), password);
  }
}

function keyOf(url: string): string {
  return `registrar.password ${url}`;
}
