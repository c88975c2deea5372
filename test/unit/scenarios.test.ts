import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDocument, repository } from '../support/documents.ts';

const page = 'docs/scenarios.md';
/** `R5`, or several as in `R2, R8`. */
const codes = String.raw`[A-Z]\d{1,2}(?:, [A-Z]\d{1,2})*`;
/** A title begins with its codes, or ends with them in parentheses. */
const inTitle = new RegExp(String.raw`['"\x60](${codes}):? |\((${codes})\)['"\x60]`, 'g');

describe('the page of scenarios', () => {
  const described = scenariosOn(readDocument(page));
  const titled = codesInTitles();

  it('has each code that a test’s title carries', () => {
    for (const [code, files] of titled) assert.ok(described.has(code), `${code} in ${[...files].join(', ')}`);
  });

  it('has no code that no test carries, and names only tests that carry it', () => {
    for (const [code, files] of described) {
      assert.ok(files.length > 0, code);
      for (const file of files) assert.ok(titled.get(code)?.has(file), `${code}: ${file}`);
    }
  });

  it('says one thing about each code', () => {
    const listed = [...readDocument(page).matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, code]) => code);
    assert.deepEqual(listed, [...new Set(listed)]);
  });
});

/** The tests that the page names for each code, below `test/`. */
function scenariosOn(markdown: string): Map<string, string[]> {
  const entries = markdown.matchAll(/^- \*\*([A-Z]\d{1,2})\*\*: ((?:.+\n?)(?: {2}.+\n?)*)/gm);
  return new Map(
    [...entries].map(([, code = '', text = '']) => [
      code,
      [...text.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = '']) => file),
    ]),
  );
}

function codesInTitles(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const tests = join(repository, 'test');
  for (const path of readdirSync(tests, { recursive: true, encoding: 'utf8' })) {
    const file = path.replaceAll('\\', '/');
    if (!file.endsWith('.test.ts')) continue;
    for (const [, first, last] of readFileSync(join(tests, path), 'utf8').matchAll(inTitle)) {
      for (const code of (first ?? last ?? '').split(', ')) found.set(code, (found.get(code) ?? new Set()).add(file));
    }
  }
  return found;
}
