import { interleave } from '../harness.ts';
import { clientOf, environmentOf, registrar, runNode } from '../installation.ts';
import type { Question } from '../result.ts';

/** A daemon that has run before, from nothing to its first answer, as a window waits for it. */
export const daemonStart: Question = {
  name: 'daemon-start',
  async ask(server) {
    const stateFolder = await server.stateFolder();
    const env = environmentOf(stateFolder, server.url('registry_daemon_start'));
    const directory = await server.workspace({ name: 'asked first' });
    const firstAnswer = async (): Promise<void> => {
      const client = await clientOf(stateFolder, env);
      const { outcome, stale } = await client.call('resolve', { directory });
      if (outcome !== 'resolved' || stale) throw new Error(`nothing was resolved: ${outcome}`);
      client.close();
    };
    const stop = (): Promise<unknown> => runNode(env, registrar, 'stop');
    try {
      // Makes the registry and the project.
      await firstAnswer();
      const { floor, starting } = await interleave(
        [
          { name: 'floor', run: () => runNode(env, '-e', '0') },
          { name: 'starting', prepare: stop, run: firstAnswer },
        ],
        { rounds: 20, perRound: 1, warmUp: 2 },
      );
      return [
        {
          kind: 'timing',
          what: 'the daemon from its start to its first answer, which it resolves',
          figures: starting,
          floor: '`node -e 0`',
          floorFigures: floor,
          target: null,
        },
      ];
    } finally {
      await stop();
    }
  },
};
