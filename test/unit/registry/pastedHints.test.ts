import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { homedir } from 'node:os';
import { syncText } from '../../../daemon/cli/syncText.ts';
import { plain, shown } from '../../../daemon/cli/terminalText.ts';
import type { Marker, RegistryRow } from '../../../daemon/registry/model.ts';
import * as drift from '../../../daemon/registry/drift/driftFindings.ts';
import * as evidence from '../../../daemon/registry/evidence/evidenceFailures.ts';
import * as failures from '../../../daemon/registry/failures.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { requireTrust } from '../../../daemon/resolution/trust.ts';
import { registryForbidden, notOwner, asked } from '../../../daemon/postgres/registry/registryFaults.ts';
import { hostileTexts } from '../../support/hostileTexts.ts';
import { hasUnseen } from '../../../daemon/protocol/visibleText.ts';
import { emptySync } from '../cli/fakeCli.ts';

const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';
const registrar = {} as RegistryRow['registrar'];

function row(name: string, databaseName = 'cb_proj_shop_1f2e3d4c'): RegistryRow {
  return { id, name, databaseName, registrar } as RegistryRow;
}

/** The arguments that a shell gives to each `registrar` of a text that consists of commands and nothing else. */
function pasted(text: string): string[][] {
  const script =
    String.raw`registrar() { printf '%s\0' "$@"; printf '\n'; }; ` + text.replaceAll(' | registrar ', '\nregistrar ');
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\0').slice(0, -1));
}

/** The command in brackets that a choice of drift ends with. */
function inBrackets(description: string): string {
  return /\((registrar .*)\)(?:;.*)?$/s.exec(description)?.[1] ?? assert.fail(description);
}

const names = ['my shop', '--help', '-x', "it's", '$(id)', '`id`', 'a"b', 'a;b'];

describe('I7: hints that people paste', () => {
  it('name whose a project is so that neither a shell nor a terminal obeys its address', () => {
    const host = { id: 'h', name: 'tower' };
    const claim = {
      name: 'shop',
      id: null,
      databaseName: null,
      description: null,
      folder: { host: 'tower', path: '/w' },
    };
    for (const address of ['git.example/a b', 'git.example/$(id);x', "git.example/it's", 'git.example/`id`']) {
      const confirm = evidence.originNotConfirmed(row('shop'), address, null, null).hint;
      assert.deepEqual(pasted(confirm), [['use', 'shop', '--confirm', address]]);
    }
    const origin = 'git.example/a\u001b[2J\nregistrar use x\u202e';
    const kept = { evidence: { origins: [{ origin, path: '\u001b' }], folder: null, claims: [] } };
    const own = { ...row('shop'), registrar: kept };
    const here = { origins: [origin], pathInRepository: '\n', root: '/w', worktree: null } as never;
    for (const error of [
      evidence.belongsElsewhere(claim, own, null, { kind: 'person' }, host),
      evidence.belongsElsewhere(claim, own, here, { kind: 'person' }, host),
      evidence.belongsElsewhere(
        claim,
        { ...own, registrar: { git: { origins: [origin], pathInRepository: '' } } },
        here,
        { kind: 'person' },
        host,
      ),
      evidence.otherId(claim, own, { kind: 'person' }),
      evidence.bindingTakenOver(`/w/${origin}`, 'shop', { kind: 'person' }),
      evidence.originNotConfirmed(own, origin, origin, origin),
      evidence.waitsForPerson(`/w/${origin}`),
      evidence.nameTakenForAgent(origin),
      evidence.firstClaimNoted(own, `/w/${origin}`),
    ]) {
      assert.ok(!hasUnseen(`${error.message}${error.hint}`), error.message);
    }
  });

  it('offer a database of its own, or to share, by commands that can be pasted', () => {
    for (const name of ['my shop', '-x', 'shop']) {
      const claim = {
        name,
        id: null,
        databaseName: null,
        description: null,
        folder: { host: 'tower', path: '/w/two' },
      };
      const { hint } = evidence.belongsElsewhere(
        claim,
        row(name),
        null,
        { kind: 'person' },
        { id: 'h', name: 'tower' },
      );
      const commands = pasted(hint.replace(/ \([^)]*\)/g, ''));
      const proposal = `${name.replace(' ', '-').replace(/^-/, '')}-two`;
      assert.deepEqual(commands, [
        ['init', proposal, '--local'],
        ['use', ...withOptions(name)],
      ]);
    }
  });

  for (const name of names) {
    it(`name the project ${name} so that a shell takes it for one word and the command for no option`, () => {
      const dropped = failures.dropUnconfirmed(row(name)).hint;
      assert.deepEqual(pasted(dropped), [
        ['projects', 'drop', ...withOptions(name, ['--confirm', 'cb_proj_shop_1f2e3d4c'])],
      ]);
      const claim = { name, id: null, databaseName: null, folder: null } as unknown as Parameters<
        typeof failures.nameConflict
      >[0];
      const shared = failures.nameConflict(claim, row(name)).hint.replace(/ \(share it\).*/s, '');
      assert.deepEqual(pasted(shared), [['use', ...withOptions(name)]]);
      const both = failures.contradiction(claim, row(name), row('other')).hint.replace(/ or registrar.*/s, '');
      assert.deepEqual(pasted(both), [['use', ...withOptions(name)]]);
      const parked = drift.parkedProject(row(name), 'taken').finding.actions[0]?.description ?? '';
      assert.deepEqual(pasted(inBrackets(parked)), [['use', ...withOptions(name)]]);
      const queued = { id, name, databaseName: 'd', since: '2026-11-03T09:00:00.000Z', attempts: 1 };
      const sync = { ...emptySync, parked: [{ ...queued, nextAttemptAt: null, error: { code: 'x', message: 'y' } }] };
      const view = { home: '/home/a', now: new Date(0), paint: plain };
      const next = syncText(sync, view)
        .replace(/^.*next: /s, '')
        .replace(/\n +or: +/, '\n');
      assert.deepEqual(pasted(next), [
        ['use', ...withOptions(name)],
        ['projects', 'rename', id, 'NAME'],
      ]);
    });
  }

  for (const [what, text] of Object.entries(hostileTexts)) {
    if (text === '') continue;
    const folder = `/w/${text}`;
    it(`name a folder with ${what} so that a shell takes it for one word, or not at all`, () => {
      const hints = [
        trustHint(folder),
        inBrackets(
          drift.configWithoutRow({ path: `${folder}/.codebase-mcp/config.json`, name: 'shop', id: null }, null).finding
            .actions[0]?.description ?? '',
        ).replace('resolve --directory', 'trust'),
      ];
      for (const hint of hints) {
        if (hasUnseen(text)) assert.match(hint, /^registrar trust … \(… cannot be pasted: '[^']*'\)$/);
        else assert.deepEqual(pasted(hint), [['trust', folder]]);
        assert.equal(hasUnseen(hint), false);
      }
    });
  }

  it('name a database with anything in it', () => {
    const marker = { projectId: id, name: 'shop', registry: 'r' } as Marker;
    const databaseName = "it's; $(id)";
    const choice = drift.orphanDatabase(databaseName, marker, true).finding.actions[0]?.description ?? '';
    assert.deepEqual(pasted(inBrackets(choice)), [['projects', 'adopt', databaseName, '--name', 'NAME']]);
    assert.deepEqual(pasted(failures.projectForgotten('shop', databaseName).hint.replace(/ brings it back.*/s, '')), [
      ['projects', 'adopt', databaseName],
    ]);
  });

  it('quote roles and databases for PostgreSQL', () => {
    const hostile = 'a"; DROP TABLE x; --';
    const quoted = '"a""; DROP TABLE x; --"';
    assert.ok(registryForbidden(asked.read, hostile, 'r').hint.endsWith(`TO ${quoted};`));
    assert.ok(notOwner(hostile, 'r').hint.includes(`ALTER DATABASE ${quoted} OWNER`));
    assert.ok(failures.mayNotCreate(hostile, 'l').hint.includes(`ALTER ROLE ${quoted} CREATEDB;`));
    const sighting = { row: row('shop', hostile) } as Parameters<typeof drift.databaseRenamed>[0];
    const said = drift.databaseRenamed(sighting, hostile, true).finding.actions.map(({ description }) => description);
    assert.ok(said.join('\n').includes(`ALTER DATABASE ${quoted} RENAME TO ${quoted}`), said.join('\n'));
    const orphans = drift.sharedOrphanId({ projectId: id, name: 'shop' } as Marker, [hostile]).finding.actions;
    assert.ok(orphans.some(({ description }) => description.includes(`COMMENT ON DATABASE ${quoted} IS NULL`)));
  });

  it('show the home folder as ~ where a shell still knows it for that', () => {
    const home = homedir();
    for (const folder of ['my shop', 'shop', "it's", 'a\\b', ' ', '$x']) {
      const path = `${home}/${folder}`;
      const line = shown(trustHint(path), home);
      assert.match(line, /^registrar trust ~\//);
      assert.deepEqual(pasted(line), [['trust', path]]);
    }
    assert.equal(shown(`${home}@b/x`, home), `${home}@b/x`);
    assert.equal(shown(`'postgresql://h/d?host=${home}/run x'`, home), `'postgresql://h/d?host=${home}/run x'`);
    assert.equal(shown(`In ${home}, ${home}/shop: ${home}`, home), 'In ~, ~/shop: ~');
  });
});

/** Names that look like options stand last, after two dashes. */
function withOptions(name: string, options: string[] = []): string[] {
  return name.startsWith('-') ? [...options, '--', name] : [name, ...options];
}

function trustHint(folder: string): string {
  try {
    requireTrust({
      directory: folder,
      folder,
      ownerUid: 1001,
      daemonUid: 1000,
      windows: [],
      trustedFolders: [],
      separator: '/',
    });
  } catch (error) {
    assert.ok(error instanceof RegistrarError);
    return error.hint.replace(/^.*?(?=registrar trust)/s, '');
  }
  return assert.fail('trusted');
}
