// Says when it may be sent signals, and which came; ends with 7 when it reads "end". A shell's `read` may miss a signal.
for (const name of ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2']) process.on(`SIG${name}`, () => console.log(name));
require('node:readline')
  .createInterface({ input: process.stdin })
  .on('line', (line) => (line === 'end' ? process.exit(7) : console.log(`heard ${line}`)))
  .on('close', () => process.exit(7));
console.log(`ready ${process.pid}`);
