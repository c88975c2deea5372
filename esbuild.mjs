// Builds what is shipped and what the extension host's tests need. CommonJS throughout: as ES modules the bundled
// CommonJS packages fail at run time.
//   node esbuild.mjs                 with source maps
//   node esbuild.mjs --production    minified, for the package
//   node esbuild.mjs --watch         rebuilds on every change

import { readFileSync } from 'node:fs';
import { build, context } from 'esbuild';
import { commandBundle } from './scripts/commandBundle.mjs';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

const isProduction = process.argv.includes('--production');
const isWatch = process.argv.includes('--watch');

/** @type {import('esbuild').BuildOptions} */
const shared = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // jsonc-parser's CommonJS entry is UMD, which a bundler cannot follow.
  mainFields: ['module', 'main'],
  minify: isProduction,
  sourcemap: !isProduction,
  logLevel: isWatch ? 'info' : 'warning',
};

/** @type {import('esbuild').BuildOptions[]} */
const bundles = [
  { ...shared, ...commandBundle(version, 'dist') },
  {
    ...shared,
    entryPoints: { extension: 'extension/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    external: ['vscode'],
  },
];

if (!isProduction) {
  bundles.push({
    ...shared,
    entryPoints: { extensionTests: 'test/extension/host/index.ts' },
    outdir: 'dist/test',
    outExtension: { '.js': '.cjs' },
    external: ['vscode', 'mocha'],
  });
}

if (isWatch) {
  for (const options of bundles) await (await context(options)).watch();
} else {
  await Promise.all(bundles.map((options) => build(options)));
}
