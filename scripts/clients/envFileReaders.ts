import type { Needs } from './packages.ts';

/** A program that reads `.env` files, as people use it. */
export interface EnvFileReader extends Needs {
  name: string;
  /** How it is called, for the page. */
  line: string;
  /** Gets files, each in a folder of its own and named `.env`, and prints a JSON list of what it reads in them. */
  command: readonly string[];
}

/** What is read of each file; SINGLE and DOUBLE have the password, too, where a file quoted its old value like that. */
export const readKeys = ['PGPASSWORD', 'SINGLE', 'DOUBLE', 'DATABASE_URL'] as const;
export type Read = Partial<Record<(typeof readKeys)[number], string>>;

export const envFileReaders: readonly EnvFileReader[] = [
  javascript(
    'dotenv',
    ['dotenv'],
    'dotenv.config()',
    `import dotenv from 'dotenv'`,
    `dotenv.config({ path: file, processEnv: {}, quiet: true }).parsed`,
  ),
  javascript(
    'dotenv-expand',
    ['dotenv-expand', 'dotenv'],
    'expand(dotenv.config())',
    `import dotenv from 'dotenv'; import { expand } from 'dotenv-expand'; const options = () => ({ processEnv: {}, quiet: true })`,
    `expand({ ...options(), ...dotenv.config({ path: file, ...options() }) }).parsed`,
  ),
  javascript(
    'Next.js',
    ['@next/env'],
    'loadEnvConfig(folder)',
    `import next from '@next/env'; import { dirname } from 'node:path'; const silent = { info() {}, error: console.error }`,
    `next.loadEnvConfig(dirname(file), true, silent, true).combinedEnv`,
  ),
  javascript(
    'Vite',
    ['vite'],
    "loadEnv(mode, folder, '')",
    `import { loadEnv } from 'vite'; import { dirname } from 'node:path'`,
    `loadEnv('development', dirname(file), '')`,
  ),
  javascript(
    'Node.js',
    [],
    'node --env-file=.env',
    `import { spawnSync } from 'node:child_process'`,
    `JSON.parse(spawnSync(process.execPath, ['--env-file=' + file, '-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }).stdout)`,
  ),
  shell('sh', []),
  shell('bash', []),
  javascript(
    'direnv',
    [],
    'dotenv',
    `import { spawnSync } from 'node:child_process'`,
    `JSON.parse(spawnSync('direnv', ['dotenv', 'json', file], { encoding: 'utf8' }).stdout || '{}')`,
    ['direnv'],
  ),
  {
    name: 'python-dotenv',
    packages: [],
    debian: ['python3-dotenv'],
    line: 'load_dotenv()',
    command: [
      '/usr/bin/python3',
      '-c',
      'import dotenv, json, sys\nprint(json.dumps([dotenv.dotenv_values(file) for file in sys.argv[1:]]))',
    ],
  },
  {
    name: 'Ruby’s dotenv',
    packages: [],
    debian: ['ruby-dotenv'],
    line: 'Dotenv.load',
    command: [
      '/usr/bin/ruby',
      '-e',
      `require 'dotenv'; require 'json'
       puts JSON.generate(ARGV.map { |file| Dotenv::Parser.call(File.read(file, encoding: 'utf-8')) })`,
    ],
  },
];

function javascript(
  name: string,
  packages: readonly string[],
  line: string,
  imports: string,
  read: string,
  debian: readonly string[] = [],
): EnvFileReader {
  const script = `${imports};
    const own = { ...process.env };
    console.log(JSON.stringify(process.argv.slice(1).map((file) => {
      // Some readers put what they read there, and take from there what is there already.
      for (const key in process.env) if (!(key in own)) delete process.env[key];
      // A copy: Next.js gives process.env itself.
      return { ...${read} };
    })));`;
  return { name, packages, debian, line, command: ['node', '--input-type=module', '-e', script, '--'] };
}

/** It executes the file. */
function shell(name: string, debian: readonly string[]): EnvFileReader {
  const one = `set -a; . "$1"; exec node -p 'JSON.stringify(process.env)'`;
  const reader = javascript(
    name,
    [],
    '. ./.env',
    `import { spawnSync } from 'node:child_process'`,
    `JSON.parse(spawnSync('${name}', ['-c', ${JSON.stringify(one)}, '${name}', file], { encoding: 'utf8' }).stdout || '{}')`,
    debian,
  );
  return reader;
}
