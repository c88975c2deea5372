import type { Resolution } from '../protocol/model.ts';
import { bind, type Bound, type Launch } from './bindings.ts';

/** One agent's connection: what it told about itself and where it works. It lives as long as the connection. */
export class AgentSession {
  readonly id: string;
  readonly launch: Launch | null;
  /** As the client names itself; empty until it has. */
  name = '';
  lastSeenAt = new Date();
  bound: readonly Bound[] = [];
  /** Where the latest call worked, by whatever source. */
  directory: string | null;
  #roots: Promise<readonly string[]> | null = null;

  constructor(id: string, launch: Launch | null) {
    this.id = id;
    this.launch = launch;
    this.directory = launch?.isNamed ? launch.directory : null;
  }

  bind(directory: string, { project }: Resolution): void {
    this.bound = bind(this.bound, { directory, project: project && { id: project.id, name: project.name } });
    this.directory = directory;
  }

  /** The client's workspace folders, asked for once; a client that does not answer has none until it says otherwise. */
  roots(ask: () => Promise<readonly string[]>): Promise<readonly string[]> {
    this.#roots ??= ask().catch(() => []);
    return this.#roots;
  }

  /** The client's folders have changed. */
  dropRoots(): void {
    this.#roots = null;
  }
}
