// Makes the VSIX as `npm run package` does, and fails when vsce warns, when it is larger than agreed, or when it
// carries anything but what is listed here.

import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import manifest from '../package.json' with { type: 'json' };

const limitBytes = 1024 * 1024;
/** The checkout’s own has pictures and links into the checkout, which a package cannot have. */
const readme = ['--readme-path', 'extension/README.md'];
const expectedFiles = [
  'CHANGELOG.md',
  'LICENSE',
  'dist/commands.cjs',
  'dist/extension.cjs',
  'dist/registrar.cjs',
  'extension/README.md',
  'media/config.schema.json',
  'media/icon.png',
  'media/registrar.svg',
  ...walkthroughPictures(),
  'package.json',
  'package.nls.json',
];

const vsix = `${manifest.name}-${manifest.version}.vsix`;
const problems: string[] = [];

const packaging = vsce('package', '--no-dependencies', '--allow-missing-repository', ...readme);
console.log(packaging.output);
if (packaging.status !== 0) problems.push('vsce package failed');
if (/\bWARNING\b/.test(packaging.output)) problems.push('vsce warns');

const listed = vsce('ls', '--no-dependencies', ...readme)
  .output.trim()
  .split(/\r?\n/)
  .sort();
if (listed.join('\n') !== expectedFiles.join('\n')) problems.push(`it carries ${listed.join(', ')}`);

if (problems.length === 0) {
  const { size } = await stat(vsix);
  console.log(`${vsix}: ${Math.ceil(size / 1024)} KB`);
  if (size > limitBytes) problems.push(`it has ${size} bytes; the limit is ${limitBytes}`);
}
if (problems.length > 0) {
  console.error(`The package is not as it should be: ${problems.join('; ')}.`);
  process.exitCode = 1;
}

/** Each is used for one theme or several. */
function walkthroughPictures(): string[] {
  const steps = manifest.contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
  return [...new Set(steps.flatMap(({ media }) => Object.values(media.image)))].sort();
}

function vsce(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['node_modules/@vscode/vsce/vsce', ...args], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}
