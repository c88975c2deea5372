// Takes the lock of its argument, says "held", and keeps it until it is killed.
import { withFileLock } from '../../daemon/files/fileLock.ts';

await withFileLock(process.argv[2] ?? '', () => {
  process.stdout.write('held\n');
  return new Promise(() => setInterval(() => undefined, 60_000));
});
