import type { Socket } from 'node:net';
import type { Leaving, Snapshot } from '../protocol/control.ts';
import { ClientConnection, type Caller, type ConnectionPorts, type ControlHandlers } from './clientConnection.ts';

export interface ControlServerOptions {
  version: string;
  /** Resolves when the token is in the endpoint file, where clients read it. */
  token(): Promise<string>;
  handlers: ControlHandlers;
  /** Wraps every request, so that the daemon's end can wait for those that run. */
  running: ConnectionPorts['running'];
  /** What a window is to draw now. */
  snapshot(client: Caller, revision: number): Snapshot;
  keepSettings: ConnectionPorts['keepSettings'];
  openAgentStream: ConnectionPorts['openAgentStream'];
  /** Called when a client has proved itself. */
  onAttached(client: Caller): void;
  /** Called when a client came, left, or asked for something. */
  onActivity(): void;
}

/** Serves the control protocol to everyone who connects. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #connections = new Set<ClientConnection>();
  #revision = 0;
  #leaving: Leaving | null = null;

  constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const { version, handlers, keepSettings, openAgentStream } = this.#options;
    const connection = new ClientConnection(socket, {
      version,
      token: () => this.#options.token(),
      handlers,
      keepSettings,
      openAgentStream,
      leaving: () => this.#leaving,
      running: (work) => this.#run(work),
      onAttached: () => {
        this.#options.onActivity();
        if (connection.client) this.#options.onAttached(connection.client);
        this.#push(connection);
      },
      onClosed: () => {
        this.#connections.delete(connection);
        this.#options.onActivity();
      },
    });
    this.#connections.add(connection);
  }

  clients(): Caller[] {
    return [...this.#connections].map(({ client }) => client).filter((client) => client !== null);
  }

  /** What windows draw has changed: each gets the latest state when it can take it. */
  changed(): void {
    this.#revision += 1;
    for (const connection of this.#connections) this.#push(connection);
  }

  /** Tells everyone, and refuses new requests from now on; running ones are still answered. */
  leave(leaving: Leaving): void {
    this.#leaving = leaving;
    for (const connection of this.#connections) connection.sayLeaving(leaving);
  }

  /** Disconnects everyone, after sending what has been answered. */
  close(): void {
    for (const connection of this.#connections) connection.close(1000);
  }

  #push(connection: ClientConnection): void {
    connection.push(() => {
      const { client } = connection;
      if (!client) throw new Error('the client disconnected');
      return this.#options.snapshot(client, this.#revision);
    });
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#options.running(work);
    } finally {
      if (!this.#leaving) this.#options.onActivity();
    }
  }
}
