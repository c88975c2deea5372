import { Connection, type Client } from 'pg';
import { cutAfter } from '../../time/withLimit.ts';

/** For the whole exchange, ms. */
const limitMs = 2000;

/**
 * Asks the server to cancel what a connection is doing, over a second connection to the same host, encrypted like the
 * first. The server answers nothing; what was cancelled fails with 57014. A caller that must be sure destroys the
 * connection after a while.
 */
export function cancelRequest(client: Client): Promise<void> {
  // pg knows what the server said at login; its types do not.
  const { processID, secretKey, ssl, sslNegotiation } = client as unknown as LoggedIn;
  const connection = new Connection({ ssl, sslNegotiation } as object) as Canceller;
  const exchange = (): Promise<void> =>
    new Promise((resolve) => {
      const send = (): void => {
        connection.cancel(processID, secretKey);
      };
      connection.on('connect', () => {
        if (!ssl) send();
        else if (sslNegotiation !== 'direct') connection.requestSsl();
      });
      connection.on('sslconnect', send);
      // Without an answer there is none to a failure either; the end is all that there is to wait for.
      connection.on('error', () => {
        connection.stream.destroy();
      });
      connection.on('end', resolve);
      if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`);
      else connection.connect(client.port, client.host);
    });
  return cutAfter(limitMs, () => connection.stream.destroy(), exchange);
}

interface LoggedIn {
  processID: number;
  secretKey: number;
  ssl: object | false;
  sslNegotiation: string;
}

type Canceller = Connection & {
  connect(...target: (string | number)[]): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
};
