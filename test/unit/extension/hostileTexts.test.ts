import assert from 'node:assert/strict';
import { hasUnseen } from '../../../daemon/protocol/visibleText.ts';
import { connectionDocument } from '../../../extension/views/connectionDocument.ts';
import { driftDocument, repairDocument } from '../../../extension/views/driftDocuments.ts';
import { explanation } from '../../../extension/views/explanation.ts';
import { leftBehindDocument } from '../../../extension/views/leftBehindDocument.ts';
import { statusBarText } from '../../../extension/views/statusBarText.ts';
import { projectNode, treeNodes, type TreeNode } from '../../../extension/views/treeNodes.ts';
import { hostileTexts } from '../../support/hostileTexts.ts';
import { refused, resolved, shop } from '../cli/fakeCli.ts';
import { folder, view, windowOn } from './windowStates.ts';

/** Fails where Markdown could still make a link, an image, HTML, a heading or a formula of it, or a code block could end early. */
function assertInert(markdown: string): void {
  assert.equal(hasUnseen(markdown.replaceAll('\n', '')), false);
  const plain = markdown
    .replaceAll(/^(`{3,})(?:sh|json)\n[^]*?\n\1$/gm, '')
    .replaceAll(/\\[!-/:-@[-`{-~]|(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '');
  assert.doesNotMatch(plain, /[<>[\]!&$@~`]|https?:|www\.|command:|javascript:/);
}

function tooltips(nodes: readonly TreeNode[]): string[] {
  return nodes.flatMap(({ tooltip, children }) => [
    ...(tooltip === undefined ? [] : [tooltip]),
    ...tooltips(children ?? []),
  ]);
}

describe('I7: what VS Code draws', () => {
  for (const [what, text] of Object.entries(hostileTexts)) {
    const project = { ...shop, name: text, databaseName: text, description: text };
    const error = { code: 'PROJECT_CONFLICT' as const, message: text, hint: text };
    const resolution = {
      ...resolved,
      project,
      server: { address: text, source: 'file' as const },
      configPath: `/w/${text}/config.json`,
      trace: resolved.trace.map((attempt) => ({ ...attempt, reason: text })),
      warnings: [{ code: 'RENAMED' as const, message: text, hint: text }],
      wouldDo: [text],
    };
    const where = { name: text, path: `/w/${text}` };

    it(`is not led astray by ${what}`, () => {
      const planned = { kind: 'marker-missing', action: 'restore-marker', description: text } as const;
      const finding = { ...planned, project, database: text, message: text, risk: text };
      const actions = [{ action: 'adopt' as const, description: text, automatic: false as const }];
      const agent = { name: text, directory: `${folder.path}/${text}`, lastSeenAt: '2026-11-03T13:49:00' };
      const agents = [agent];
      const state = windowOn(resolution, { agents });
      const documents = [
        explanation(resolution, where, view),
        explanation(refused(error), where, view),
        driftDocument({ planId: 'p', ok: false, findings: [{ ...finding, actions }] }, view.home),
        repairDocument({ planId: 'p', applied: [planned], skipped: [planned], failed: [{ ...planned, error }] }),
        leftBehindDocument(
          [{ name: text, databaseName: text, pending: true, command: `psql '${text}'` }],
          resolution.server,
        ),
        connectionDocument(
          {
            agent: 'cursor',
            file: `/w/${text}`,
            snippet: JSON.stringify(text),
            launcher: { path: text, exists: false },
          } as unknown as Parameters<typeof connectionDocument>[0],
          view.home,
        ),
      ];
      const tips = [
        projectNode(project).tooltip ?? '',
        ...tooltips(treeNodes(state, view)),
        ...tooltips(treeNodes(windowOn(refused(error)), view)),
      ];
      for (const markdown of [...documents, ...tips]) assertInert(markdown);
    });

    it(`draws no icon and hides nothing for ${what}`, () => {
      const shown = statusBarText({ ...windowOn(resolution), folders: [folder] }, folder.path, view);
      assert.ok(shown);
      assert.doesNotMatch(shown.text.replace(/^\$\([^)]*\) /, ''), /(?<!\\)\$\((?:id|HOME)/);
      for (const line of [shown.text, ...shown.tooltip.split('\n')]) assert.equal(hasUnseen(line), false, line);
      assert.ok(shown.text.length < 200);
    });
  }
});
