import assert from 'node:assert/strict';
import { errorCodes } from '../../../daemon/protocol/codes.ts';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import { commandIds } from '../../../extension/contributions.ts';
import { curesOf } from '../../../extension/views/cures.ts';
import { statementIn } from '../../../extension/views/refusals.ts';
import { resolutions } from './windowStates.ts';

const titles = (error: ErrorReport | null): string[] =>
  error === null ? [] : curesOf(error, commandIds.copyConnectionString).map(({ title }) => title);

describe('what helps against a refusal', () => {
  it('is a new project or another one where somebody dropped it', () => {
    assert.deepEqual(titles(resolutions.dropped.error), ['Start a New Project Here…', 'Use Existing Project']);
  });

  it('is an empty database, another project or none where the database is gone, and not where it was renamed', () => {
    assert.deepEqual(titles(resolutions.vanished.error), [
      'Make It Again, Empty…',
      'Use Existing Project',
      'Forget Project',
    ]);
    assert.deepEqual(titles(resolutions.renamed.error), ['Open Config']);
  });

  it('is to look where a database is not, or does not say that it is, the project’s', () => {
    const looked = ['Resolve Again', 'Check Drift', 'Open Config'];
    assert.deepEqual(titles(resolutions.foreign.error), looked);
    assert.deepEqual(titles({ code: 'MARKER_MISSING', message: 'It carries no marker.', hint: 'Mark it.' }), looked);
  });

  it('is to ask the same again while the registry is busy, and the statement where a privilege is missing', () => {
    const busy: ErrorReport = { code: 'REGISTRY_BUSY', message: 'Waited 1 s.', hint: 'Try again.' };
    assert.deepEqual(curesOf(busy, commandIds.openPsql)[0], { title: 'Try Again', command: commandIds.openPsql });
    const forbidden: ErrorReport = {
      code: 'REGISTRY_FORBIDDEN',
      message: 'Role bob may not read.',
      hint: 'As the owner, in reg: GRANT SELECT ON public.projects TO "b;b";',
    };
    assert.deepEqual(titles(forbidden), ['Copy Statement', 'Try Again']);
    assert.equal(statementIn(forbidden.hint), 'GRANT SELECT ON public.projects TO "b;b";');
  });

  it('is no statement with a part to fill in', () => {
    assert.equal(statementIn('Rename it first, for example: ALTER DATABASE … RENAME TO cb_proj_shop_00000001;'), null);
    assert.equal(statementIn('As its owner: ALTER DATABASE x OWNER TO a role that y is a member of.'), null);
  });

  it('is a click for every code that people meet in a window', () => {
    const without = errorCodes.filter((code) => titles({ code, message: 'No.', hint: 'Do it.' }).length === 0);
    assert.deepEqual(without, [
      'DIRECTORY_INVALID',
      ...['SQL_REJECTED', 'SQL_FAILED', 'SQL_TIMEOUT', 'CONFIRMATION_REQUIRED', 'UNAUTHORIZED', 'INVALID_ARGUMENT'],
    ]);
  });
});
