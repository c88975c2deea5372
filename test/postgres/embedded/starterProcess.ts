import { startBundledServer } from '../../../daemon/embedded/bundledServer.ts';
import type { BundledServerOptions } from '../../../daemon/embedded/bundledServerOptions.ts';
import { probe } from '../../support/probe.ts';

// A starter in a process of its own, which a test can kill: one JSON line per event, then it stays until its end.
const options = JSON.parse(process.argv[2] ?? '{}') as Omit<BundledServerOptions, 'probe' | 'onProgress'>;
const say = (event: object): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};
const { address, reused } = await startBundledServer({
  ...options,
  probe,
  onProgress: (progress) => {
    say({ progress });
  },
});
say({ address, reused });
process.stdin.resume();
