import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decidedProblems, faultProblem } from '../../../daemon/config/configProblems.ts';
import { changeFor } from '../../../daemon/config/editConfig.ts';
import { parseConfig } from '../../../daemon/config/parseConfig.ts';
import type { ConfigProblem, TextChange } from '../../../daemon/protocol/configProblems.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import {
  contradiction,
  databaseOccupied,
  databaseRenamed,
  nameConflict,
  overrideMissing,
  projectForgotten,
} from '../../../daemon/registry/failures.ts';
import { belongsElsewhere } from '../../../daemon/registry/evidence/evidenceFailures.ts';
import type { FolderGit, RegistryRow } from '../../../daemon/registry/model.ts';
import { resolved, shop } from '../cli/fakeCli.ts';
import { wildConfig } from './arbitraryJsonc.ts';

const path = '/w/copy/.codebase-mcp/config.json';
const otherId = '2f2e3d4c-0000-4000-8000-000000000002';
const row: RegistryRow = { ...shop, registrar: { state: 'ready', folder: { host: 'here', path: '/w/shop' } } };
const other: RegistryRow = { ...row, id: otherId, name: 'other' };
const claim = {
  name: 'shop',
  id: null,
  databaseName: null,
  description: null,
  folder: { host: 'here', path: '/w/copy' },
};

const named = '{\n  "version": "1.0",\n  // Ours.\n  "project": { "name": "shop" }\n}\n';
const withId = named.replace('"shop"', `"shop", "id": "${shop.id}"`);
const withDatabase = withId.replace(' }\n', ', "database_name": "cb_proj_x_00000001" }\n');

function faultIn(text: string): ConfigProblem {
  try {
    parseConfig(Buffer.from(text), path);
  } catch (error) {
    assert.ok(error instanceof RegistrarError);
    return faultProblem(text, error.toReport());
  }
  return assert.fail('it was accepted');
}

function decided(text: string, answer: Partial<Resolution>, isIdWritten = true): ConfigProblem[] {
  return decidedProblems(text, parseConfig(Buffer.from(text), path), { ...resolved, ...answer }, isIdWritten);
}

function refusedIn(text: string, error: RegistrarError): ConfigProblem {
  const [problem] = decided(text, { outcome: 'refused', project: null, error: error.toReport() });
  assert.ok(problem);
  return problem;
}

function place(text: string, { offset, length }: ConfigProblem): string {
  return text.slice(offset, offset + length);
}

function apply(text: string, { offset, length, text: instead }: TextChange): string {
  return text.slice(0, offset) + instead + text.slice(offset + length);
}

/** Titles, preferred ones with a star, and the text after each. */
function outcomes(text: string, { fixes }: ConfigProblem): [string, string][] {
  return fixes.map((fix) => [
    (fix.isPreferred ? '* ' : '') + fix.title,
    fix.kind === 'change' ? apply(text, fix.change) : fix.kind === 'adopt' ? fix.database : fix.project,
  ]);
}

describe('a fault of a config file', () => {
  it('is shown at its value, without the place in its words, and mended by the proposal', () => {
    const text = named.replace('"shop"', '"sh/op"');
    const problem = faultIn(text);
    assert.equal(place(text, problem), '"sh/op"');
    assert.match(problem.message, /^project\.name "sh\/op" may contain only /);
    assert.equal(problem.isInSchema, false);
    assert.deepEqual(outcomes(text, problem), [
      ['* Change project.name to "sh-op"', named.replace('"shop"', '"sh-op"')],
    ]);
  });

  const shapes: [title: string, text: string, place: string, fix: string, after: string][] = [
    [
      'a wrong type',
      named.replace('\n}', ',\n  "dry_run": "yes"\n}'),
      '"yes"',
      '* Change dry_run to true',
      named.replace('\n}', ',\n  "dry_run": true\n}'),
    ],
    [
      'a key that is missing',
      named.replace('  "version": "1.0",\n', ''),
      '{',
      '* Add version: "1.0"',
      '{\n  // Ours.\n  "project": { "name": "shop" },\n  "version": "1.0"\n}\n',
    ],
    [
      'a root that is no object',
      '5\n',
      '5',
      '* Write {"version":"1.0","project":{"name":"copy"}}',
      '{\n  "version": "1.0",\n  "project": {\n    "name": "copy"\n  }\n}\n',
    ],
  ];
  for (const [title, text, where, fix, after] of shapes) {
    it(`is left to the schema where that says it, but for what helps: ${title}`, () => {
      const problem = faultIn(text);
      assert.equal(problem.isInSchema, true);
      assert.equal(place(text, problem), where);
      assert.deepEqual(outcomes(text, problem), [[fix, after]]);
    });
  }

  it('is shown where the text breaks off', () => {
    const text = '{\n  "version": "1.0",\n  "project": {';
    assert.equal(faultIn(text).offset, text.length);
  });

  it('is shown in a text of any line ends', () => {
    const text = named.replace('"shop"', '""').replaceAll('\n', '\r\n');
    assert.equal(place(text, faultIn(text)), '""');
  });
});

describe('what was decided about a config file', () => {
  it('H4: a conflict stands at the name; it is shared or another name chosen', () => {
    const problem = refusedIn(named, nameConflict(claim, row));
    assert.deepEqual([problem.code, place(named, problem)], ['PROJECT_CONFLICT', '"shop"']);
    assert.deepEqual(outcomes(named, problem), [
      ['Share the database of project "shop"', withId],
      ['Choose another name: "copy"', named.replace('"shop"', '"copy"')],
    ]);
  });

  it('H4: a folder that may not claim the project binds itself to it, or takes another name without its id', () => {
    const git = { origins: ['git.example/eve/shop'], pathInRepository: '' } as unknown as FolderGit;
    const host = { id: 'h', name: 'here' };
    const error = belongsElsewhere(claim, row, git, { kind: 'person' }, host);
    for (const text of [withId, withDatabase]) {
      const problem = refusedIn(text, error);
      assert.deepEqual(
        [problem.code, place(text, problem), problem.hint],
        ['PROJECT_CONFLICT', '"shop"', error.toReport().hint],
      );
      assert.deepEqual(outcomes(text, problem), [
        ['Share the database of project "shop"', shop.id],
        ['Choose another name: "shop-copy"', named.replace('"shop"', '"shop-copy"')],
      ]);
    }
  });

  it('H4: proposes the name of a copy’s folder where it says already what it is a copy of', () => {
    const host = { id: 'h', name: 'here' };
    const proposals = ['/w/shop-copy', '/w/shop', '/w/shopping'].map((path) => {
      const copy = { ...claim, folder: { host: 'here', path } };
      return belongsElsewhere(copy, row, null, { kind: 'person' }, host).details?.['proposal'];
    });
    assert.deepEqual(proposals, ['shop-copy', 'shop-2', 'shop-shopping']);
  });

  it('H4: proposes the next number where the name is the folder’s already', () => {
    for (const [name, next] of [
      ['copy', 'copy-2'],
      ['copy-9', 'copy'],
    ] as const) {
      const text = named.replace('"shop"', `"${name}"`);
      const [, rename] = refusedIn(text, nameConflict({ ...claim, name }, row)).fixes;
      assert.equal(rename?.title, `Choose another name: "${next}"`);
    }
  });

  it('H5: a contradiction stands at the id, and is settled by either', () => {
    const problem = refusedIn(withDatabase, contradiction({ ...claim, id: shop.id }, row, other));
    assert.equal(place(withDatabase, problem), `"${shop.id}"`);
    const [byId, byName] = outcomes(withDatabase, problem);
    assert.equal(byId?.[1], withId);
    assert.equal(byName?.[1], withId.replace(shop.id, otherId).replace('"shop"', '"other"'));
  });

  it('H9: a forgotten project is adopted, or another begun', () => {
    const problem = refusedIn(withId, projectForgotten('shop', shop.databaseName));
    assert.deepEqual(outcomes(withId, problem), [
      [`* Adopt ${shop.databaseName}: bring "shop" back`, shop.databaseName],
      ['Choose another name: "copy"', named.replace('"shop"', '"copy"')],
    ]);
  });

  it('C11: a database that is not there or not its own stands at the override', () => {
    const missing = refusedIn(withDatabase, overrideMissing(row, 'cb_proj_x_00000001'));
    assert.equal(place(withDatabase, missing), '"cb_proj_x_00000001"');
    assert.deepEqual(outcomes(withDatabase, missing), [['* Remove project.database_name', withId]]);
    const occupied = refusedIn(named, databaseOccupied(row));
    assert.deepEqual(outcomes(named, occupied), [[`Adopt ${shop.databaseName}`, shop.databaseName]]);
  });

  it('H6: a database that was renamed is followed', () => {
    const [fix] = outcomes(withId, refusedIn(withId, databaseRenamed(row, 'cb_proj_x_00000001')));
    assert.deepEqual(fix, ['* Use database cb_proj_x_00000001', withDatabase]);
  });

  it('a name that differs from the registry’s is a warning', () => {
    const warnings = [{ code: 'NAME_DIFFERS', message: 'It differs.', hint: 'Change it.' } as const];
    const [problem] = decided(withId.replace('"shop"', '"old"'), { warnings });
    assert.deepEqual([problem?.severity, problem?.fixes.length], ['warning', 1]);
    assert.equal(problem && outcomes(withId.replace('"shop"', '"old"'), problem)[0]?.[1], withId);
  });

  it('an id that is not written is proposed, unless the file has it and only the editor not yet', () => {
    const [problem] = decided(named, {}, false);
    assert.deepEqual([problem?.code, problem?.severity], ['ID_NOT_WRITTEN', 'information']);
    assert.deepEqual(problem && outcomes(named, problem), [["* Write the project's id", withId]]);
    assert.deepEqual(decided(named, {}, true), []);
  });

  it('is nothing where the config cannot help', () => {
    const error = { code: 'REGISTRY_UNREACHABLE', message: 'It does not answer.', hint: 'Start it.' } as const;
    assert.deepEqual(decided(withId, { outcome: 'refused', project: null, error }), []);
    assert.deepEqual(decided(withId, {}), []);
  });
});

describe('the smallest change', () => {
  it('gives what the edit gives, whatever the file looks like, and leaves what is outside it', () => {
    fc.assert(
      fc.property(wildConfig(fc.record({ id: fc.uuid() }, { requiredKeys: [] })), (wild) => {
        const text = wild.text.replace(/^\uFEFF/, '');
        const change = changeFor(text, [{ key: 'project.id', value: otherId }]);
        assert.ok(change);
        assert.equal(parseConfig(Buffer.from(apply(text, change)), path).id, otherId);
        assert.ok(change.length <= 38);
        assert.equal(changeFor(apply(text, change), [{ key: 'project.id', value: otherId }]), null);
      }),
      { numRuns: 200 },
    );
  });
});
