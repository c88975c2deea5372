import net from 'node:net';
import { readMessages, startupCode } from './statementSpy.ts';

/** Ends whoever sends the statements at one of them. */
export interface WireKillPlan {
  /** Counted from 1, or the first one whose label it is. */
  at: number | ((label: string) => boolean);
  /** Before the server sees the statement, or after it answered and before the sender sees the answer. */
  when: 'before' | 'after';
  /** Resolves when the sender is gone. */
  kill: () => Promise<void>;
}

/** A proxy in front of PostgreSQL that counts statements and kills their sender between two of them. */
export interface KillPoint {
  port: number;
  /** Counts from 1 again, and kills at the planned statement. */
  set(plan: WireKillPlan | null): void;
  /** The statements that were sent here since `set`; one that was prepared before shows by its name. */
  steps(): string[];
  close(): Promise<void>;
}

/** Everything that a client sends up to a Sync is one step: the server commits nothing before it. */
const heldTypes = new Set(['P', 'B', 'D', 'E', 'C', 'H']);

export async function startKillPoint(target: { host: string; port: number }): Promise<KillPoint> {
  const sockets = new Set<net.Socket>();
  let plan: WireKillPlan | null = null;
  let steps: string[] = [];

  const server = net.createServer((client) => {
    const upstream = net.connect(target.port, target.host);
    const destroy = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // An answer in several writes would else wait 40 ms for the other side's acknowledgement.
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        destroy();
      });
    }
    let started = false;
    let isCut = false;
    let killAtAnswer: WireKillPlan | null = null;
    const held: Buffer[] = [];

    function end({ kill }: WireKillPlan): void {
      isCut = true;
      void kill().then(destroy);
    }

    function step(messages: Buffer[]): void {
      const label = messages.map(labelOf).find((one) => one !== null) ?? '';
      steps.push(label);
      const isMeant = typeof plan?.at === 'function' ? plan.at(label) : steps.length === plan?.at;
      if (!plan || !isMeant) {
        upstream.write(Buffer.concat(messages));
        return;
      }
      const { when } = plan;
      if (when === 'before') end(plan);
      else {
        killAtAnswer = plan;
        upstream.write(Buffer.concat(messages));
      }
      if (typeof plan.at === 'function') plan = null;
    }

    readMessages(
      client,
      () => started,
      (type, message) => {
        if (isCut) return;
        if (type === null) {
          started = message.readInt32BE(4) === startupCode;
          upstream.write(message);
        } else if (heldTypes.has(type)) {
          held.push(message);
        } else if (type === 'S' || type === 'Q') {
          step([...held.splice(0), message]);
        } else {
          upstream.write(message);
        }
      },
    );
    readMessages(
      upstream,
      () => true,
      (type, message) => {
        if (isCut) return;
        if (!killAtAnswer) client.write(message);
        else if (type === 'Z') end(killAtAnswer);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the kill point has no port');
  return {
    port: address.port,
    set(planned) {
      plan = planned;
      steps = [];
    },
    steps: () => steps,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function labelOf(message: Buffer): string | null {
  const type = String.fromCharCode(message[0] ?? 0);
  if (type === 'Q') return message.toString('utf8', 5, message.length - 1);
  if (type !== 'P' && type !== 'B') return null;
  // Parse: statement's name, SQL. Bind: portal's name, statement's name.
  const name = message.indexOf(0, 5);
  return message.toString('utf8', name + 1, message.indexOf(0, name + 1));
}
