import type { BenchServer } from '../benchServer.ts';
import { interleave } from '../harness.ts';
import { environmentOf, registrar, runNode } from '../installation.ts';
import type { Question, Timing } from '../result.ts';

/** The command `registrar` from its start to its end, as a person in a terminal waits for it. */
export const commandLine: Question = {
  name: 'command-line',
  async ask(server) {
    let made = 0;
    const next = (): Promise<Terminal> => newTerminal(server, (made += 1));
    const used = await next();
    let fresh = await next();
    try {
      // Starts the daemon, and makes the registry and the project.
      await resolve(used);
      const { floor, help, resolving, executing, fromNothing } = await interleave(
        [
          { name: 'floor', run: () => runNode(used.env, '-e', '0') },
          { name: 'help', run: () => runNode(used.env, registrar, '--help') },
          { name: 'resolving', run: () => resolve(used) },
          {
            name: 'executing',
            run: () => runNode(used.env, registrar, 'exec', '--directory', used.directory, '--', 'true'),
          },
          {
            name: 'fromNothing',
            prepare: async () => {
              await stop(fresh);
              fresh = await next();
            },
            run: () => resolve(fresh),
          },
        ],
        { rounds: 30, perRound: 1, warmUp: 2 },
      );
      const reported = { kind: 'timing', floor: '`node -e 0`', floorFigures: floor, target: null } as const;
      return [
        { ...reported, what: '`registrar --help`, whole process', figures: help },
        { ...reported, what: '`registrar resolve`, whole process, daemon running', figures: resolving },
        {
          kind: 'timing',
          what: '`registrar exec -- true`, whole process, daemon running',
          figures: executing,
          floor: '`registrar resolve`',
          floorFigures: resolving,
          target: 1.15,
          because: 'it connects to the project’s own database, too, and asks it whose it is',
        },
        {
          ...reported,
          what: '`registrar resolve`, whole process, only PostgreSQL running: state folder, daemon, registry and project are made',
          figures: fromNothing,
        },
      ] satisfies Timing[];
    } finally {
      await stop(fresh);
      await stop(used);
    }
  },
};

/** A state folder and a registry that are still empty, and a workspace whose project nobody has made. */
interface Terminal {
  env: NodeJS.ProcessEnv;
  directory: string;
}

async function newTerminal(server: BenchServer, number: number): Promise<Terminal> {
  return {
    env: environmentOf(await server.stateFolder(), server.url(`registry_terminal_${String(number)}`)),
    directory: await server.workspace({ name: `terminal ${String(number)}` }),
  };
}

function resolve({ env, directory }: Terminal): Promise<unknown> {
  return runNode(env, registrar, 'resolve', '--directory', directory);
}

function stop({ env }: Terminal): Promise<unknown> {
  return runNode(env, registrar, 'stop');
}
