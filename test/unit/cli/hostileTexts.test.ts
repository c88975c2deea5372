import assert from 'node:assert/strict';
import { hasUnseen } from '../../../daemon/protocol/visibleText.ts';
import { hostileTexts } from '../../support/hostileTexts.ts';
import { cli, emptySync, refused, resolved, shop } from './fakeCli.ts';

describe('I7: what commands print', () => {
  for (const [what, text] of Object.entries(hostileTexts)) {
    it(`shows ${what} escaped, on one line`, async () => {
      const project = { ...shop, name: text, databaseName: text, description: text };
      const error = { code: 'PROJECT_CONFLICT' as const, message: text, hint: text };
      const warnings = [{ code: 'RENAMED' as const, message: text, hint: text }];
      const trace = resolved.trace.map((attempt) => ({ ...attempt, reason: text }));
      const server = { address: text, source: 'file' as const };
      const resolution = { ...resolved, project, server, warnings, trace, wouldDo: [text] };
      const queued = {
        ...project,
        since: shop.createdAt,
        attempts: 1,
        nextAttemptAt: null,
        error: { code: 'x', message: text },
      };
      const action = { action: 'adopt' as const, description: text, automatic: false as const };
      const finding = { kind: 'marker-missing' as const, project, database: text, message: text, risk: text };
      const api = {
        resolve: async () => resolution,
        remakeProject: async () => refused(error),
        useProject: async () => refused(error),
        showProject: async () => ({
          ...project,
          sync: { state: 'parked' as const, error: { code: 'x', message: text } },
        }),
        listProjects: async () => ({ projects: [project], nextCursor: null }),
        forgetProject: async () => ({ project, databaseName: text }),
        dropProject: async () => ({ project, databaseName: text }),
        syncNow: async () => ({ ...emptySync, pending: [queued], parked: [queued] }),
        drift: async () => ({ planId: 'p', ok: false, findings: [{ ...finding, actions: [action] }] }),
        unusedProjects: async () => ({
          projects: [{ ...project, creator: text, lastUsedAt: null, sizeBytes: null }],
          sizesMissing: text,
        }),
      };
      const commands = [
        ['resolve'],
        ['use', 'shop'],
        ['projects', 'show', 'shop'],
        ['projects', 'list'],
        ['projects', 'list', '--unused', '1d'],
        ['projects', 'forget', 'shop'],
        ['projects', 'drop', 'shop', '--confirm', 'x'],
        ['projects', 'drop', 'shop'],
        ['sync'],
        ['drift'],
      ];
      for (const argv of commands) {
        const { stdout, stderr } = await cli(argv, { api: api, stdin: 'x\n' });
        const printed = `${stdout}${stderr}`;
        assert.notEqual(printed, '', argv.join(' '));
        // A line of its own could pass for ours.
        assert.doesNotMatch(printed, /^(?:rm -rf|NEXT|Ignore|# Heading)/m);
        assert.equal(hasUnseen(printed.replaceAll('\n', '')), false, `${argv.join(' ')}: ${JSON.stringify(printed)}`);
      }
    });
  }
});
