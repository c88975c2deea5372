import { watch } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, basename } from 'node:path';
import type { AgentHost } from '../mcp/agentHost.ts';
import type { AgentPort } from '../mcp/agentPort.ts';
import { httpLimits, openHttp, type HttpEndpoint } from '../mcp/http/httpServer.ts';
import type { AgentStreamParams } from '../protocol/agentStream.ts';
import type { DaemonStatus, Snapshot } from '../protocol/control.ts';
import type { Settings } from '../protocol/settings.ts';
import type { EngineLog } from './engine.ts';

export interface AgentEndpointOptions extends Pick<AgentPort, 'version' | 'home' | 'use' | 'running' | 'onChanged'> {
  settingsPath: string;
  readSettings(): Promise<Settings>;
  /** The address that the last daemon of this state folder had: agents were told it. */
  previousUrl: string | null;
  token: () => string;
  /** The address has changed. */
  onUrl(url: string | null): Promise<void>;
  log: EngineLog;
}

/** Agents over HTTP and through forwarders, as the settings say. */
export class AgentEndpoint {
  readonly #options: AgentEndpointOptions;
  #settings: Settings;
  #host: Promise<AgentHost> | null = null;
  #loaded: AgentHost | null = null;
  #http: HttpEndpoint | null = null;
  #port: number | null;
  #applying: Promise<void> = Promise.resolve();
  #stopWatching: () => void = () => undefined;
  #isLeaving = false;
  #rotations = 0;

  private constructor(options: AgentEndpointOptions, settings: Settings) {
    this.#options = options;
    this.#settings = settings;
    this.#port = portOf(options.previousUrl);
  }

  static async open(options: AgentEndpointOptions): Promise<AgentEndpoint> {
    const endpoint = new AgentEndpoint(options, await options.readSettings());
    endpoint.#watchSettings();
    await endpoint.#listenAsSet();
    return endpoint;
  }

  /** Null while agents are not served over HTTP. */
  get url(): string | null {
    return this.#http ? `http://127.0.0.1:${this.#http.port}/mcp` : null;
  }

  /** What windows draw and offer of it. */
  get served(): Snapshot['mcp'] {
    const { url } = this;
    return url === null ? null : { url, tools: this.#settings['registrar.mcp.tools'], rotations: this.#rotations };
  }

  agents(): DaemonStatus['agents'] {
    return this.#loaded?.agents() ?? [];
  }

  async attach(socket: Socket, { directory, isNamed }: AgentStreamParams): Promise<void> {
    const host = await this.#open();
    await host.attach(socket, directory === null ? null : { directory, isNamed });
  }

  /** The token has changed: agents have to reconnect with the new one. */
  async tokenChanged(): Promise<void> {
    this.#rotations += 1;
    this.#options.onChanged();
    await this.#loaded?.endHttpSessions();
  }

  /** Begins nothing new from forwarders. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#stopWatching();
    await this.#loaded?.pause();
  }

  /** Ends every connection, and frees the port for a successor. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#stopWatching();
    await this.#applying;
    await this.#loaded?.close();
    await this.#http?.close();
    this.#http = null;
  }

  /** Loaded when the first agent comes: the daemon starts without it. */
  #open(): Promise<AgentHost> {
    this.#host ??= Promise.all([import('../mcp/agentHost.ts'), import('../mcp/tools/toolList.ts')]).then(
      ([{ AgentHost }, { toolList }]) => {
        const { version, home, use, running, onChanged, log } = this.#options;
        this.#loaded = new AgentHost({
          version,
          home,
          use,
          running,
          onChanged,
          rootsLimitMs: 2000,
          tools: () => toolList(this.#settings['registrar.mcp.tools']),
          onFault: (error) => {
            log.warn({ operation: 'agents', code: 'INTERNAL', reason: String(error) }, 'an agent’s call failed');
          },
        });
        return this.#loaded;
      },
    );
    return this.#host;
  }

  async #listenAsSet(): Promise<void> {
    const { log, token } = this.#options;
    const isWanted = this.#settings['registrar.mcp.enabled'];
    if (!isWanted) {
      const http = this.#http;
      this.#http = null;
      await this.#loaded?.endHttpSessions();
      await http?.close();
      return;
    }
    if (this.#http) return;
    try {
      this.#http = await openHttp({
        preferredPort: this.#port,
        token,
        limits: httpLimits,
        onRequest: async (request, response, body) => (await this.#open()).handle(request, response, body),
        onFault: (error) => {
          log.warn({ operation: 'agents', code: 'INTERNAL', reason: String(error) }, 'a request failed');
        },
      });
      this.#port = this.#http.port;
    } catch (error) {
      // Windows, terminals and forwarders go on without it.
      log.warn({ operation: 'agents', reason: String(error) }, 'agents cannot be served over HTTP');
    }
  }

  /** By the folder, since the file is replaced at every change. */
  #watchSettings(): void {
    const { settingsPath, log } = this.#options;
    const failed = (error: unknown): void => {
      log.warn({ operation: 'agents', reason: String(error) }, 'settings for agents cannot be watched');
    };
    try {
      const watcher = watch(dirname(settingsPath), (_event, name) => {
        if (name === basename(settingsPath)) this.#applying = this.#applying.then(() => this.#apply());
      });
      watcher.unref();
      watcher.on('error', failed);
      this.#stopWatching = () => {
        watcher.close();
      };
    } catch (error) {
      // The system limits how many folders can be watched.
      failed(error);
    }
  }

  async #apply(): Promise<void> {
    if (this.#isLeaving) return;
    const before = this.#settings;
    // Callers get an error about a damaged file.
    this.#settings = await this.#options.readSettings().catch(() => before);
    if (before['registrar.mcp.tools'] !== this.#settings['registrar.mcp.tools']) {
      this.#loaded?.toolsChanged();
      this.#options.onChanged();
    }
    if (before['registrar.mcp.enabled'] === this.#settings['registrar.mcp.enabled']) return;
    await this.#listenAsSet();
    this.#options.onChanged();
    await this.#options.onUrl(this.url).catch((error: unknown) => {
      this.#options.log.warn({ operation: 'agents', reason: String(error) }, 'endpoint.json could not be written');
    });
  }
}

function portOf(url: string | null): number | null {
  const port = url === null || !URL.canParse(url) ? 0 : Number(new URL(url).port);
  return port > 0 ? port : null;
}
