// How it does beyond one machine: eight daemons against one PostgreSQL, directly and through PgBouncer, and against a
// primary whose synchronous standby takes over. The status is 1 when a project was lost.
//   npm run scale

import { whyNoOwnServer } from '../../test/support/ownServer.ts';
import { load, machineLine } from '../machine.ts';
import { failover } from './failover.ts';
import { pooled } from './pooled.ts';

const daemons = 8;
const why = whyNoOwnServer();
if (why !== null) {
  console.error(why);
  process.exit(2);
}
const loadBefore = load();
const { version, problems } = await pooled(daemons);
problems.push(...(await failover(daemons)));
console.log(`\n${machineLine(version, loadBefore)}`);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
console.log(problems.length === 0 ? 'No project was lost, and drift is empty.' : 'It did not hold.');
process.exitCode = problems.length === 0 ? 0 : 1;
