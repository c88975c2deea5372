import assert from 'node:assert/strict';
import { driftDocument, repairDocument } from '../../../extension/views/driftDocuments.ts';
import { explanation } from '../../../extension/views/explanation.ts';
import { folder, resolutions, view } from './windowStates.ts';

describe('the document that explains a resolution', () => {
  it('gives the answer, each source with its reason and time, and the project', () => {
    const text = explanation(resolutions.ready, folder, view);
    assert.match(text, /^# shop\n\n`~\/shop` belongs to project \*\*shop\*\*: database `cb_proj_shop_1f2e3d4c` on /);
    assert.match(text, /\| 2 \| config \| matched \| \\\.codebase\\-mcp\/config\\\.json \| 0\.9 ms \|/);
    assert.match(text, /\| {2}\| identity \| agrees \|/);
    assert.match(text, /- id: `1f2e3d4c-0000-4000-8000-000000000001`/);
  });

  it('says what is wrong and what to do, and what is only to be known', () => {
    assert.match(
      explanation(resolutions.conflict, folder, view),
      /\*\*"shop" belongs to git.*\*\*\n\nNext, one of these:\n\n- a database of its own, no file changes: `registrar init shop-eve --local`\n- share its database: `registrar use shop`\n\n/,
    );
    assert.match(
      explanation(resolutions.pending, folder, view),
      /not registered yet[^]*## To know\n\n- Registry disk full;/,
    );
    assert.match(explanation(resolutions.notMade, folder, view), /## What Resolve Again would do\n\n- create database/);
  });
});

describe('the documents about drift', () => {
  const repair = { action: 'restore-marker', description: 'write the marker again', automatic: true } as const;
  const choice = { action: 'adopt', description: 'registrar projects adopt x', automatic: false } as const;
  const finding = {
    kind: 'marker-missing',
    message: 'no marker',
    risk: 'it may be taken',
    actions: [repair, choice],
  } as const;

  it('tell what a repair would do from what only a person can choose', () => {
    const report = {
      planId: 'p1',
      ok: false,
      findings: [{ ...finding, database: 'x', actions: [...finding.actions] }],
    };
    const text = driftDocument(report, '/home/a');
    assert.match(text, /plan `p1`/);
    assert.match(text, /## Marker missing · x\n\nNo marker\\?\.\n\nRisk: it may be taken/);
    assert.match(text, /- \*\*Repair Drift:\*\* write the marker again\n- Your choice: registrar projects adopt x/);
  });

  it('tell what was done, skipped and failed', () => {
    const planned = { kind: 'marker-missing', action: 'restore-marker', description: 'write it' } as const;
    const error = { code: 'REGISTRY_FORBIDDEN', message: 'not allowed', hint: 'Ask its owner.' } as const;
    const text = repairDocument({ planId: 'p', applied: [planned], skipped: [], failed: [{ ...planned, error }] });
    assert.match(text, /## Done\n\n- write it/);
    assert.match(text, /## Failed\n\n- write it: Not allowed\\\. Ask its owner\\\./);
    assert.doesNotMatch(text, /Skipped/);
  });
});
