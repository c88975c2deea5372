// Claims the path of its argument, says "claimed", "taken" or "lost" and serves until it is killed or its input ends.
import { claimInstance } from '../../daemon/lifecycle/singleInstance.ts';

const say = (word: string): boolean => process.stdout.write(`${word}\n`);
const instance = await claimInstance(
  process.argv[2] ?? '',
  (socket) => {
    // Whoever only asks whether somebody lives here is gone already.
    socket.on('error', () => undefined).end(`${process.pid}\n`);
  },
  () => {
    say('lost');
    process.exit(0);
  },
);
if (instance === null) {
  say('taken');
  process.exit(0);
}
say('claimed');
process.stdin.resume().once('end', () => {
  instance.release();
  process.exit(0);
});
