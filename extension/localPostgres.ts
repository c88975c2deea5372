import { connect } from 'node:net';

/** What clients send before they say who they are: whether the server speaks TLS. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Whether something that speaks PostgreSQL answers there. It does not log in, and the server logs nothing.
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL)
 *
 * @param limitMs for the answer
 */
export function speaksPostgres(host: string, port: number, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, limitMs, false);
    socket.once('connect', () => socket.write(sslRequest));
    // One byte: S or N. Whatever else answers a stranger's eight bytes says more, or hangs up.
    socket.once('data', (data) => {
      end(data.length === 1 && (data[0] === 0x53 || data[0] === 0x4e));
    });
    socket.once('error', () => {
      end(false);
    });
    socket.once('close', () => {
      end(false);
    });
  });
}

/** Whether this machine is one that is thrown away with what is on it. */
export function isContainer(
  environment: Record<string, string | undefined>,
  remoteName: string | undefined,
  hasMark: boolean,
): boolean {
  const { REMOTE_CONTAINERS, CODESPACES } = environment;
  const isNamed = ['dev-container', 'attached-container', 'codespaces'].includes(remoteName ?? '');
  return hasMark || isNamed || REMOTE_CONTAINERS === 'true' || CODESPACES === 'true';
}
