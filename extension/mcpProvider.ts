import * as vscode from 'vscode';
import { settingIds } from './contributions.ts';
import type { DaemonLink } from './daemonLink.ts';
import { mcpOffer, type McpOffer } from './mcpOffer.ts';
import type { ProjectStore } from './projectStore.ts';
import { offersMcp } from './settings.ts';

type Definition = vscode.McpHttpServerDefinition;

/** Offers the endpoint to VS Code's own agents. The token is asked for when a server is started, and kept nowhere. */
export class McpProvider implements vscode.McpServerDefinitionProvider<Definition>, vscode.Disposable {
  readonly #store: ProjectStore;
  readonly #link: Pick<DaemonLink, 'call'>;
  readonly #version: string;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: { dispose(): void };
  readonly onDidChangeMcpServerDefinitions = this.#changed.event;
  #offered = '';

  /** @param version of this extension */
  constructor(store: ProjectStore, link: Pick<DaemonLink, 'call'>, version: string) {
    this.#store = store;
    this.#link = link;
    this.#version = version;
    const look = (): void => {
      const offered = JSON.stringify(this.#offer());
      if (offered === this.#offered) return;
      this.#offered = offered;
      this.#changed.fire();
    };
    this.#subscriptions = vscode.Disposable.from(
      store.onDidChange(look),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingIds.mcpEnabled)) look();
      }),
    );
  }

  provideMcpServerDefinitions(): Definition[] {
    const offer = this.#offer();
    if (!offer) return [];
    const { url, directory, version } = offer;
    // The header takes ASCII only.
    const headers = directory === null ? {} : { 'X-Registrar-Directory': encodeURIComponent(directory) };
    const uri = vscode.Uri.parse(url ?? 'http://127.0.0.1/mcp');
    return [new vscode.McpHttpServerDefinition('Project Registrar', uri, headers, version)];
  }

  /** Starts the daemon if necessary. Throws its error; VS Code shows it. */
  async resolveMcpServerDefinition(definition: Definition): Promise<Definition> {
    const { url, token } = await this.#link.call('mcpAddress', undefined);
    definition.uri = vscode.Uri.parse(url);
    definition.headers = { ...definition.headers, Authorization: `Bearer ${token}` };
    return definition;
  }

  dispose(): void {
    this.#subscriptions.dispose();
    this.#changed.dispose();
  }

  #offer(): McpOffer | null {
    return mcpOffer(this.#store.state, offersMcp(), this.#version);
  }
}
