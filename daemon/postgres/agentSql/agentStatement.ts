import type { Client, Connection, FieldDef, Submittable } from 'pg';

/** What the server says about a statement before it runs. */
export interface StatementShape {
  /** OIDs of the types of $1, $2, … */
  parameterTypes: readonly number[];
  /** Null when the statement gives no rows. */
  fields: readonly FieldDef[] | null;
}

export interface RowLimits {
  rows: number;
  /** Of all values together, as the server sends them. */
  bytes: number;
}

export interface BoundedRows {
  rows: (string | null)[][];
  truncatedBy: 'rows' | 'bytes' | null;
}

/** The name that the statement has in its session: pg uses the unnamed one. */
const statementName = 'agent';

/**
 * Has the server parse one statement. Nothing runs yet, so statements that return no rows (COPY, DO, SET, COMMIT) can
 * be refused before they do anything.
 *
 * Throws the server's error, among others for more than one statement.
 */
export function prepareStatement(client: Client, text: string): Promise<StatementShape> {
  return new Promise((resolve, reject) => {
    let shape: StatementShape = { parameterTypes: [], fields: null };
    client.query(
      new Exchange({
        submit: (connection) => {
          connection.once('parameterDescription', ({ dataTypeIDs }: { dataTypeIDs: number[] }) => {
            shape = { ...shape, parameterTypes: dataTypeIDs };
          });
          connection.parse({ name: statementName, text, types: [] });
          connection.describe({ type: 'S', name: statementName });
          connection.sync();
        },
        onFields: (fields) => {
          shape = { ...shape, fields };
        },
        onReady: () => {
          resolve(shape);
        },
        onError: reject,
      }),
    );
  });
}

/**
 * Runs the prepared statement. The server stops after the most rows; past the byte limit the connection is destroyed,
 * because nothing else stops the server from sending the rest of a value. So no value larger than the limit is ever
 * kept.
 *
 * @param values in PostgreSQL's text form
 */
export function runPrepared(
  client: Client,
  values: readonly (string | null)[],
  limits: RowLimits,
): Promise<BoundedRows> {
  return new Promise((resolve, reject) => {
    const { stream } = client.connection;
    const rows: (string | null)[][] = [];
    let bytes = 0;
    let received = 0;
    let isDone = false;
    const done = (settle: () => void): void => {
      if (isDone) return;
      isDone = true;
      stream.off('data', watch);
      settle();
    };
    const cut = (): void => {
      done(() => {
        resolve({ rows, truncatedBy: 'bytes' });
      });
      stream.destroy();
    };
    // pg keeps a message until it is complete, and one value may have a gigabyte.
    const watch = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > bytes + limits.bytes + messageSlack) cut();
    };
    stream.on('data', watch);
    client.query(
      new Exchange({
        submit: (connection) => {
          connection.bind({ portal: '', statement: statementName, values: [...values] });
          // One more than is given tells whether there is more.
          connection.execute({ portal: '', rows: limits.rows + 1 });
          connection.sync();
        },
        onRow: (row, length) => {
          if (isDone) return;
          bytes += length;
          if (bytes > limits.bytes) cut();
          else rows.push(row);
        },
        onReady: () => {
          const isMore = rows.length > limits.rows;
          done(() => {
            resolve({ rows: rows.slice(0, limits.rows), truncatedBy: isMore ? 'rows' : null });
          });
        },
        onError: (error) => {
          done(() => {
            reject(error);
          });
        },
      }),
    );
  });
}

/** What the server may send besides rows, and the heads of messages. */
const messageSlack = 262_144;

interface ExchangeParts {
  submit: (connection: ExtendedConnection) => void;
  onFields?: (fields: FieldDef[]) => void;
  onRow?: (row: (string | null)[], bytes: number) => void;
  onReady: () => void;
  onError: (error: Error) => void;
}

/** The messages that pg's connection sends; its types have them as they were in an older version. */
interface ExtendedConnection {
  once(event: string, listener: (message: never) => void): unknown;
  parse(message: { name: string; text: string; types: number[] }): void;
  describe(message: { type: 'S'; name: string }): void;
  bind(message: { portal: string; statement: string; values: (string | null)[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
}

/** One exchange of messages up to ReadyForQuery, with the members that pg 8.23 calls on a query. */
class Exchange implements Submittable {
  readonly #parts: ExchangeParts;
  /** pg gives its own queries one. */
  callback = (): void => undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  submit(connection: Connection): void {
    this.#parts.submit(connection as unknown as ExtendedConnection);
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.#parts.onFields?.(fields);
  }

  handleDataRow({ fields, length }: { fields: (string | null)[]; length: number }): void {
    this.#parts.onRow?.(fields, length);
  }

  handleReadyForQuery(): void {
    this.#parts.onReady();
  }

  handleError(error: Error): void {
    this.#parts.onError(error);
  }

  handleCommandComplete(): void {
    // ReadyForQuery follows.
  }

  handlePortalSuspended(): void {
    // The sync that is already sent ends the exchange.
  }

  handleEmptyQuery(): void {
    // ReadyForQuery follows.
  }

  handleCopyInResponse(connection: Connection): void {
    connection.stream.destroy();
  }

  handleCopyData(): void {
    // No statement that copies is ever run.
  }
}
