import { cli } from '../../test/unit/cli/fakeCli.ts';

/** The help of every command, as the command itself prints it. */
export async function commandLinePage(): Promise<string> {
  const sections = await helpOf([]);
  return [
    '# The command `registrar`',
    'What `--help` prints for each command. Replace words in capitals or angle brackets.',
    ...sections,
  ].join('\n\n');
}

async function helpOf(words: readonly string[]): Promise<string[]> {
  const { stdout } = await cli([...words, '--help']);
  const own = `## ${['registrar', ...words].join(' ')}\n\n\`\`\`text\n${stdout.trim()}\n\`\`\``;
  const below: string[] = [];
  for (const name of commandsIn(stdout)) below.push(...(await helpOf([...words, name])));
  return [own, ...below];
}

/** The names in a help's list of commands. */
function commandsIn(help: string): string[] {
  const list = /^Commands:\n((?: .*\n)+)/m.exec(help)?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
}
