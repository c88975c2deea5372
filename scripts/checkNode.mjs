// Runs on any Node: it is what people see first when theirs is too old, so it imports nothing and uses no new syntax.
// Usage: node scripts/checkNode.mjs MINIMUM, where MINIMUM is a version such as 20.19 or 24.

const minimum = process.argv[2] || '20.19';
const wanted = minimum.split('.').map(Number);
const running = process.versions.node.split('.').map(Number);
const isNewEnough =
  running[0] > wanted[0] || (running[0] === wanted[0] && (wanted[1] === undefined || running[1] >= wanted[1]));

if (!isNewEnough) {
  const lines = [`This script needs Node ${minimum} or newer, and it is running on Node ${process.versions.node}.`];
  if (wanted[0] > 20) {
    // npm puts node_modules/.bin first in PATH, so the "node" dev dependency would have been found if it were complete.
    lines.push(
      'The dev dependency "node" brings that version, but its binary is not in node_modules. That happens when install scripts were blocked.',
      'Run: npm rebuild node --ignore-scripts=false',
      'and start the script with npm (npm run …, npm test), which finds it there.',
    );
  } else {
    lines.push('Install a newer Node from https://nodejs.org and try again.');
  }
  console.error(lines.join('\n'));
  process.exit(1);
}
