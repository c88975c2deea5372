import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const config = (name: string): string => `{\n  "version": "1.0",\n  "project": { "name": "${name}" }\n}\n`;

/** Of a repository that was cloned from there. */
const repository = (name: string, origin: string): Record<string, string> => ({
  [`${name}/.git/HEAD`]: 'ref: refs/heads/main\n',
  [`${name}/.git/config`]: `[core]\n\trepositoryformatversion = 0\n[remote "origin"]\n\turl = https://${origin}.git\n`,
});

/** Files by path; each folder is a repository of its own, so that no search leaves it. */
const kinds = {
  shop: { 'shop/.codebase-mcp/config.json': config('shop'), 'shop/notes.txt': 'notes\n' },
  empty: { 'shop/notes.txt': 'notes\n' },
  /** Two repositories that claim one name, and a folder without a project. */
  three: {
    'shop/.codebase-mcp/config.json': config('shop'),
    'shop/notes.txt': 'notes\n',
    'copy/.codebase-mcp/config.json': config('shop'),
    'copy/notes.txt': 'notes\n',
    ...repository('shop', 'git.example/acme/shop'),
    ...repository('copy', 'git.example/eve/shop'),
    'pay/notes.txt': 'notes\n',
  },
  /** A config with a comment and one wrong value, none, and a good one. */
  mixed: {
    'shop/.codebase-mcp/config.json':
      '{\n  // The shop.\n  "version": "1.0",\n  "project": { "name": "shop" },\n  "auto_switch": "banana"\n}\n',
    'shop/src/deep/main.txt': 'main\n',
    'empty/notes.txt': 'notes\n',
    'pay/.codebase-mcp/config.json': config('pay'),
    'pay/notes.txt': 'notes\n',
  },
} satisfies Record<string, Record<string, string>>;

export type WorkspaceKind = keyof typeof kinds;

/** Makes a workspace. @returns what to open: its folder, or a workspace file when there are several */
export async function makeWorkspace(folder: string, kind: WorkspaceKind): Promise<string> {
  const files: Record<string, string> = kinds[kind];
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  const roots = [...new Set(Object.keys(files).map((name) => name.split('/')[0] ?? ''))];
  for (const root of roots) await mkdir(path.join(folder, root, '.git'), { recursive: true });
  if (roots.length === 1) return path.join(folder, roots[0] ?? '');
  const file = path.join(folder, 'several.code-workspace');
  await writeFile(file, JSON.stringify({ folders: roots.map((root) => ({ path: root })) }));
  return file;
}
