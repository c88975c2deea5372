import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A fenced block of a Markdown file. */
export interface CodeBlock {
  language: string;
  text: string;
  /** Of its first line. */
  line: number;
}

export const repository = join(import.meta.dirname, '../..');

const passedOver = new Set([
  'node_modules',
  'dist',
  'test-output',
  'coverage',
  '.git',
  '.vscode-test',
  '.postgres-majors',
]);

/** Every Markdown file of the checkout, relative to its root, with forward slashes. */
export function markdownFiles(folder = repository): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return passedOver.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [relative(repository, path).split(sep).join('/')] : [];
  });
}

export function readDocument(file: string): string {
  return readFileSync(join(repository, file), 'utf8').replaceAll('\r\n', '\n');
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split('\n');
  const blocks: CodeBlock[] = [];
  let open: CodeBlock | null = null;
  for (const [index, line] of lines.entries()) {
    const fence = /^```(\S*)$/.exec(line);
    if (!fence) {
      if (open) open.text += `${line}\n`;
    } else if (open) {
      blocks.push(open);
      open = null;
    } else open = { language: fence[1] ?? '', text: '', line: index + 2 };
  }
  return blocks;
}

/** The text without its fenced blocks; the lines keep their numbers. */
export function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
}
