import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import { settingsJsonSchema } from '../../daemon/stateFolder/settingsFile.ts';
import { errorCodes, warningCodes } from '../../daemon/protocol/codes.ts';
import { commandIds, viewId } from '../../extension/contributions.ts';
import launch from '../../.vscode/launch.json' with { type: 'json' };
import tasks from '../../.vscode/tasks.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { codeBlocks, markdownFiles, readDocument, repository, withoutBlocks } from '../support/documents.ts';

/** The languages that blocks have, and so what is done with them: each command in `sh` is run, by documentation.test.ts. */
const languages = ['sh', 'text', 'json', 'sql', 'ts', 'bash', 'toml'];

/** Names in capitals that are no codes. */
const otherNames = [/^PG[A-Z]+$/, /^REGISTRAR_[A-Z_]+$/, /^(DATABASE_URL|NO_COLOR|CHROME_PATH|BEGIN|COMMIT)$/];

describe('the documents', () => {
  for (const file of markdownFiles()) {
    const markdown = readDocument(file);

    it(`${file} links only to what is there`, () => {
      for (const { target, line } of links(markdown)) {
        const where = `${file}:${line}: ${target}`;
        if (target.startsWith('https://')) continue;
        assert.doesNotMatch(target, /^\w+:/, where);
        const [path = '', anchor] = target.split('#');
        const linked = path === '' ? file : posix.join(posix.dirname(file), path);
        assert.ok(existsSync(join(repository, linked)), where);
        if (anchor !== undefined) assert.ok(anchors(readDocument(linked)).has(anchor), where);
      }
    });

    it(`${file} has whole blocks of known languages`, () => {
      const blocks = codeBlocks(markdown);
      assert.equal(blocks.length, [...markdown.matchAll(/^```/gm)].length / 2);
      for (const { language, text, line } of blocks) {
        const where = `${file}:${line}`;
        assert.ok(languages.includes(language), where);
        const errors: ParseError[] = [];
        if (language === 'json') parse(text, errors);
        assert.deepEqual(errors, [], where);
      }
    });

    it(`${file} names only settings, commands, codes and scripts that there are`, () => {
      for (const [, word = ''] of withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)) {
        if (/^registrar\.\w+(\.\w+)?$/.test(word)) assert.ok(knownIds().has(word), word);
        if (/^[A-Z]{3,}(_[A-Z]+)+$/.test(word) && !otherNames.some((name) => name.test(word))) {
          assert.ok(knownCodes.has(word), word);
        }
      }
      for (const [, script = ''] of markdown.matchAll(/\bnpm run (?!migrate)([\w:]+)/g)) {
        assert.ok(script in manifest.scripts, script);
      }
    });
  }
});

describe('the tasks and launch configurations of the checkout', () => {
  it('name only scripts, tasks, configurations and programs that there are', () => {
    for (const { script } of tasks.tasks) assert.ok(script in manifest.scripts, script);
    const labels = tasks.tasks.map(({ script }) => `npm: ${script}`);
    const names = launch.configurations.map(({ name }) => name);
    for (const { preLaunchTask, program, runtimeExecutable } of launch.configurations as Configuration[]) {
      if (preLaunchTask !== undefined) assert.ok(labels.includes(preLaunchTask), preLaunchTask);
      for (const path of [program, runtimeExecutable]) if (path !== undefined) assert.ok(isThereOrBuilt(path), path);
    }
    for (const { configurations } of launch.compounds)
      for (const name of configurations) assert.ok(names.includes(name));
  });
});

interface Configuration {
  preLaunchTask?: string;
  program?: string;
  runtimeExecutable?: string;
}

function isThereOrBuilt(path: string): boolean {
  const inside = path.replace('${workspaceFolder}/', '');
  return inside === manifest.bin.registrar || existsSync(join(repository, inside)) || existsSync(dirname(inside));
}

function links(markdown: string): { target: string; line: number }[] {
  return withoutBlocks(markdown)
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(/\]\(([^)\s]+)\)|<img[^>]*\ssrc="([^"]+)"/g)].map(([, link, picture]) => ({
        target: link ?? picture ?? '',
        line: index + 1,
      })),
    );
}

/** The anchors of the headings, as the usual hosts make them. */
function anchors(markdown: string): Set<string> {
  const headings = withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

const knownCodes = new Set<string>([...errorCodes, ...warningCodes]);

function knownIds(): Set<string> {
  const settings = settingsJsonSchema() as { properties: object };
  return new Set([
    ...Object.values(commandIds),
    ...Object.keys(manifest.contributes.configuration.properties),
    ...Object.keys(settings.properties),
    viewId,
  ]);
}
