import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { interleave } from '../harness.ts';
import type { Question, Timing } from '../result.ts';

const run = promisify(execFile);
const registrar = join(import.meta.dirname, '..', '..', 'dist', 'registrar.cjs');

/** The command `registrar` from its start to its end, as a person in a terminal waits for it. */
export const commandLine: Question = {
  name: 'command-line',
  async ask(server) {
    const directory = await server.workspace({ name: 'from the terminal' });
    const env = {
      ...process.env,
      REGISTRAR_HOME: await server.stateFolder(),
      REGISTRAR_DATABASE_URL: server.url('registry_command_line'),
    };
    const node = (...args: string[]): Promise<unknown> => run(process.execPath, args, { env });
    const resolve = (): Promise<unknown> => node(registrar, 'resolve', '--directory', directory);
    // Makes the registry and the project.
    await resolve();
    const { floor, help, resolving } = await interleave(
      [
        { name: 'floor', run: () => node('-e', '0') },
        { name: 'help', run: () => node(registrar, '--help') },
        { name: 'resolving', run: resolve },
      ],
      { rounds: 20, perRound: 1, warmUp: 2 },
    );
    const reported = { kind: 'timing', floor: '`node -e 0`', floorFigures: floor, target: null } as const;
    return [
      { ...reported, what: '`registrar --help`, whole process', figures: help },
      { ...reported, what: '`registrar resolve`, whole process, PostgreSQL running', figures: resolving },
    ] satisfies Timing[];
  },
};
