// Writes media/config.schema.json from the schema that the daemon parses with, so that the editor and the daemon agree.
//   node scripts/generateSchema.ts            writes it
//   node scripts/generateSchema.ts --check    fails when the committed file differs

import { readFile, writeFile } from 'node:fs/promises';
import prettier from 'prettier';
import { configJsonSchema } from '../daemon/config/configSchema.ts';

const file = 'media/config.schema.json';
const style = await prettier.resolveConfig(file);
const expected = await prettier.format(JSON.stringify(configJsonSchema()), { ...style, parser: 'json' });

if (process.argv.includes('--check')) {
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed.replaceAll('\r\n', '\n') !== expected) {
    console.error(`${file} is out of date. Run: npm run schema`);
    process.exit(1);
  }
} else {
  await writeFile(file, expected);
}
