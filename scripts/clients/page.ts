import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reason, type Row } from './outcome.ts';
import type { Place } from './places.ts';
import type { ReadFiles } from './readEnvFiles.ts';

export interface Results {
  clientRows: readonly Row[];
  toolRows: readonly Row[];
  read: ReadFiles;
  places: readonly Place[];
}

/** Writes docs/clients.md. */
export async function writePage({ clientRows, toolRows, read, places }: Results): Promise<void> {
  const notes = new Notes();
  const tables = [clientRows, toolRows].map((rows) => fares(rows, places, notes));
  const today = new Date().toISOString().slice(0, 10);
  const page = `# Clients, migration tools and \`.env\` files

\`npm run clients\` wrote this page on ${today}. It ran each program with \`registrar exec\`, on PostgreSQL 18 and
${process.platform}, and checked which database the program reached. "yes" means that it reached the project's database.

- **TCP** and **IPv6** are plain connections, **socket** is a Unix socket. With **two hosts**, the first one does not answer.
- **odd password** contains every character that URLs, shells and files treat specially; all columns to its right use it too.
- **TLS** is \`sslmode=verify-full\` with \`sslrootcert\`, a certificate from your own authority. **self-signed** is
  \`sslmode=require\` with a certificate that no authority signed.

## Clients

${tables[0] ?? ''}

## Migration tools

Each tool ran one migration that creates a table. "yes" means that the table appeared in the project's database, and in no other.

${tables[1] ?? ''}

## What the numbers mean

${notes.text()}

To set a variable for one command:

\`\`\`bash
registrar exec -- sh -c 'NODE_EXTRA_CA_CERTS="$PGSSLROOTCERT" exec npm run migrate'
\`\`\`

## What to write

| program | what it needs |
| --- | --- |
${[...clientRows, ...toolRows].map(({ program }) => `| ${program.name} | ${code(program.line)} |`).join('\n')}

## \`.env\` files

\`registrar env --dotenv\` prints such a file, and \`registrar env --write\` changes one. Each program below read files of both kinds, with
the password in question. "yes" means that it got the password byte for byte, also where the file had quoted its old value in another
way. "left out" means that programs disagree about how to quote the password; the file then has no \`PGPASSWORD\`, or an empty one, and
\`registrar env\` says so. All programs read \`DATABASE_URL\` alike, because the password in it is percent-encoded.

| a password with | ${read.readers.map(({ reader }) => reader.name).join(' | ')} |
| --- ${'| --- '.repeat(read.readers.length)}|
${[...read.rows].map(([odd, cells]) => `| ${odd} | ${cells.join(' | ')} |`).join('\n')}

| reader | version | how it was called |
| --- | --- | --- |
${read.readers.map(({ reader, version }) => `| ${reader.name} | ${version} | ${code(reader.line)} |`).join('\n')}

We did not try \`docker run --env-file\` or systemd's \`EnvironmentFile\`. Docker keeps the quotation marks as part of the value.
`;
  const path = join(import.meta.dirname, '../../docs/clients.md');
  await writeFile(path, page);
  await new Promise((resolve) =>
    execFile('npx', ['prettier', '--write', path], { cwd: join(import.meta.dirname, '../..') }, resolve),
  );
}

function fares(rows: readonly Row[], places: readonly Place[], notes: Notes): string {
  const head = ['program', 'version', ...places.map(({ name }) => name)];
  const lines = rows.map(({ program, version, outcomes }) => [
    program.name,
    version,
    ...places.map(({ name }) => {
      const outcome = outcomes.get(name);
      if (outcome === undefined) return '';
      if (outcome.kind === 'landed')
        return outcome.remedy === null
          ? 'yes'
          : `yes ${notes.number(`with \`${outcome.remedy.assignment}\`: by itself, the program ${outcome.remedy.why}`)}`;
      if (outcome.kind === 'missing') return `not run ${notes.number('could not be installed here')}`;
      return `no ${notes.number(program.gaps?.[name] ?? `said \`${reason(outcome.log)}\``)}`;
    }),
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Each text once, under a number. */
class Notes {
  readonly #texts: string[] = [];

  number(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return `(${this.#texts.indexOf(text) + 1})`;
  }

  text(): string {
    return this.#texts.map((text, index) => `${index + 1}. ${text}.`).join('\n');
  }
}

/** In a table a bar would begin another cell. */
function code(text: string): string {
  return `\`${text.replaceAll('|', String.raw`\|`)}\``;
}
