import type { Endpoint } from '../protocol/control.ts';
import { keptToken, readEndpoint, writeEndpoint } from '../wire/endpointFile.ts';
import type { EngineLog } from './engine.ts';

/** What `endpoint.json` says of this daemon. Clients read the token there, so nobody is believed before it is written. */
export class PublishedEndpoint {
  readonly #path: string;
  readonly #log: EngineLog;
  #current: Promise<Endpoint>;
  #announce: (endpoint: Endpoint) => void = () => undefined;
  #token = '';

  constructor(path: string, log: EngineLog) {
    this.#path = path;
    this.#log = log;
    this.#current = new Promise((resolve) => (this.#announce = resolve));
  }

  /** What agents over HTTP have to bring; the same as in the file. */
  get token(): string {
    return this.#token;
  }

  /** Takes over what the file of the daemon before says. @returns the address that agents were told */
  async takeOver(): Promise<string | null> {
    this.#token = await keptToken(this.#path);
    return (await readEndpoint(this.#path))?.url ?? null;
  }

  async publish(endpoint: Endpoint): Promise<void> {
    await writeEndpoint(this.#path, endpoint).catch(async (error: unknown) => {
      // On a full disk the file of the daemon before still holds the token, which is all that clients need of it.
      if ((await readEndpoint(this.#path))?.token !== endpoint.token) throw error;
      this.#log.warn({ operation: 'daemon', reason: String(error) }, 'endpoint.json could not be written');
    });
  }

  /** Whoever waits for the token gets it. */
  announce(endpoint: Endpoint): void {
    this.#announce(endpoint);
  }

  /** The token, once it is announced and stands in the file. */
  async publishedToken(): Promise<string> {
    const current = await this.#current;
    // Somebody may have written over it or removed it, and clients read the token there.
    await this.publish(current);
    return current.token;
  }

  async change(changes: Partial<Endpoint>): Promise<void> {
    const changed = { ...(await this.#current), ...changes };
    await writeEndpoint(this.#path, changed);
    this.#token = changed.token;
    this.#current = Promise.resolve(changed);
  }
}
