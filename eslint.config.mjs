import path from 'node:path';
import { defineConfig, globalIgnores } from 'eslint/config';
import eslintConfigPrettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { layers } from './scripts/importLayers.mjs';

const pureFiles = ['daemon/resolution/**/*.ts', 'daemon/registry/**/*.ts'];

const impureGlobals = [
  'process',
  'globalThis',
  'crypto',
  'fetch',
  'console',
  'performance',
  'queueMicrotask',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
];

const clockSyntax = [
  "CallExpression[callee.name='Date']",
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "MemberExpression[object.name='Date'][property.name='now']",
  "MemberExpression[object.name='Math'][property.name='random']",
  "MemberExpression[object.name='AbortSignal'][property.name='timeout']",
];

const barrels = { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file itself.' };

const startsProgram = 'callee.name=/^(?:exec|execFile|spawn|fork)(?:Sync)?$/';
const startsProgramOf = 'callee.property.name=/^(?:exec|execFile|spawn|fork)(?:Sync)?$/';
const gitProcess = [startsProgram, startsProgramOf].map((callee) => ({
  selector: `CallExpression[${callee}][arguments.0.value=/(?:^|[\\s\\\\\\u002f])git(?:\\.exe)?(?:\\s|$)/i]`,
  message: "Git runs what a repository's configuration names: its files are read instead (daemon/config/git…).",
}));

export default defineConfig(
  globalIgnores([
    'dist/',
    'node_modules/',
    '.vscode-test/',
    '.postgres-majors/',
    'test-output/',
    'coverage/',
    'scripts/*.d.mts',
  ]),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      'no-restricted-syntax': ['error', barrels],
    },
  },
  {
    files: ['{daemon,extension,test,bench,scripts}/**/*.{ts,mts,cts}'],
    plugins: { registrar: { rules: { layers } } },
    rules: { 'registrar/layers': ['error', { root: path.resolve(import.meta.dirname) }] },
  },
  {
    files: ['{daemon,extension}/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', barrels, ...gitProcess] },
  },
  {
    // A function fits on a screen, and a file is one thing. In functions, comments and blank lines do not count: nobody
    // should explain less to stay below the limit. Tests are left out, since a describe block is a chapter, not a function.
    files: ['{daemon,extension,scripts,bench}/**/*.{ts,mjs}', '*.mjs'],
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', { max: 80, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: pureFiles,
    rules: {
      'no-restricted-globals': [
        'error',
        ...impureGlobals.map((name) => ({
          name,
          message: 'Pure folder: time, randomness and the process come in through ports.',
        })),
      ],
      'no-restricted-syntax': [
        'error',
        barrels,
        ...clockSyntax.map((selector) => ({
          selector,
          message: 'Pure folder: time and randomness come in through ports.',
        })),
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests replace methods and build awkward values on purpose.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  eslintConfigPrettier,
);
