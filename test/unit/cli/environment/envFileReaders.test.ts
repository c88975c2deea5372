import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { dotenvText } from '../../../../daemon/cli/environment/dotenvText.ts';
import { editEnvironmentFile } from '../../../../daemon/cli/environment/editEnvironmentFile.ts';
import { oddValues } from '../../../support/oddValues.ts';

const show = `"${process.execPath}" -p "JSON.stringify(process.env)"`;
/** The readers that most machines have; the others are run by scripts/clients. */
const readers: { name: string; command: (file: string) => string[] }[] = [
  { name: 'node', command: (file) => [process.execPath, `--env-file=${file}`, '-p', 'JSON.stringify(process.env)'] },
  { name: 'sh', command: (file) => ['sh', '-c', `set -a; . "$0"; exec ${show}`, file] },
  { name: 'direnv', command: (file) => ['direnv', 'dotenv', 'json', file] },
];

describe('X2: a .env file, read by other programs', () => {
  const random = fc.string({
    unit: fc.constantFrom(
      ...Array.from(`ab $#'"\\\`%!=;&(){}~\n\t`),
      'é',
      '\u00a0',
      '\u2028',
      '${A}',
      "''",
      '""',
      String.raw`\n`,
    ),
    maxLength: 12,
  });
  const values = [...Object.values(oddValues), ...fc.sample(random, 300)];
  const variables = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
  const { text, leftOut } = dotenvText(variables);
  const expected = Object.fromEntries(Object.entries(variables).filter(([name]) => !leftOut.includes(name)));
  // The same, put into files that quote their values in each of the ways there are.
  const changed = ['none', "'single'", '"double"'].map((old) => {
    const before = Object.keys(variables).map((name) => `${name}=${old}\n`);
    return editEnvironmentFile(Buffer.from(before.join('')), variables, new Map());
  });
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'registrar-env-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const { name, command } of readers) {
    it(`gives ${name} each value that it does not leave out`, function () {
      const file = join(folder, '.env');
      const read = (content: string | Buffer): Record<string, string> => {
        writeFileSync(file, content);
        const [program = '', ...args] = command(file);
        const done = spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder } });
        assert.equal(done.status, 0, done.stderr);
        const all = JSON.parse(done.stdout) as Record<string, string>;
        return Object.fromEntries(Object.entries(all).filter(([key]) => key in variables));
      };
      if (spawnSync(command(file)[0] ?? '', ['--version']).error) this.skip();
      assert.deepEqual(read(text), expected);
      for (const { bytes, leftOut: missing } of changed) {
        assert.deepEqual(missing, leftOut);
        assert.deepEqual(read(bytes), { ...Object.fromEntries(leftOut.map((key) => [key, ''])), ...expected });
      }
    });
  }
});
