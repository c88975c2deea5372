import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareEvidence, type Evidence } from '../../../daemon/registry/evidence.ts';
import { folderKey, type Folder, type GitEvidence, type RegistrarMetadata } from '../../../daemon/registry/model.ts';

const here: Folder = { host: 'a', path: '/work/shop' };
const origin = 'github.com/acme/shop';
const git: GitEvidence = { origins: [origin], pathInRepository: '' };

interface Case {
  when: string;
  recorded: RegistrarMetadata;
  git?: GitEvidence | null;
  recordedIsGone?: boolean;
  evidence: Evidence;
}

const elsewhere: Folder = { host: 'a', path: '/other' };
const claimedHere = { [folderKey(here)]: { name: 'shop', at: '2026-11-01T00:00:00.000Z' } };

const cases: Case[] = [
  { when: 'nothing is recorded', recorded: {}, evidence: 'unclaimed' },
  { when: 'no folder is recorded, but an origin is', recorded: { git }, git, evidence: 'unclaimed' },
  { when: 'the row was made again from its marker', recorded: { rebuilt: true }, evidence: 'unrelated' },
  { when: 'it has claimed since', recorded: { rebuilt: true, claims: claimedHere }, evidence: 'same-folder' },
  { when: 'this folder is recorded', recorded: { folder: here }, evidence: 'same-folder' },
  { when: 'this folder is recorded with another origin', recorded: { folder: here, git }, evidence: 'same-folder' },
  { when: 'this folder claimed before', recorded: { folder: elsewhere, claims: claimedHere }, evidence: 'same-folder' },
  {
    when: 'the path is the same on another machine',
    recorded: { folder: { ...here, host: 'b' } },
    evidence: 'unrelated',
  },
  {
    when: 'this folder’s path claimed on another machine',
    recorded: { folder: elsewhere, claims: { [folderKey({ ...here, host: 'b' })]: { name: 'shop', at: '' } } },
    evidence: 'unrelated',
  },
  {
    when: 'the recorded folder is gone',
    recorded: { folder: elsewhere },
    recordedIsGone: true,
    evidence: 'gone-folder',
  },
  {
    when: 'the recorded folder is not on this machine, whatever is said of it',
    recorded: { folder: { ...elsewhere, host: 'b' } },
    recordedIsGone: true,
    evidence: 'unrelated',
  },
  { when: 'the recorded folder is there', recorded: { folder: elsewhere }, evidence: 'unrelated' },
  { when: 'the origin is the same', recorded: { folder: elsewhere, git }, git, evidence: 'same-origin' },
  {
    when: 'the origin is the same on another machine',
    recorded: { folder: { ...here, host: 'b' }, git },
    git,
    evidence: 'same-origin',
  },
  {
    when: 'one of several origins is the same',
    recorded: { folder: elsewhere, git },
    git: { origins: ['github.com/bob/shop', origin], pathInRepository: '' },
    evidence: 'same-origin',
  },
  {
    when: 'it is another package of the repository',
    recorded: { folder: elsewhere, git: { ...git, pathInRepository: 'packages/web' } },
    git: { ...git, pathInRepository: 'packages/api' },
    evidence: 'unrelated',
  },
  {
    when: 'it is the same package of the repository',
    recorded: { folder: elsewhere, git: { ...git, pathInRepository: 'packages/web' } },
    git: { ...git, pathInRepository: 'packages/web' },
    evidence: 'same-origin',
  },
  {
    when: 'neither repository has an origin',
    recorded: { folder: elsewhere, git: { origins: [], pathInRepository: '' } },
    git: { origins: [], pathInRepository: '' },
    evidence: 'unrelated',
  },
  {
    when: 'the asking folder is in no repository',
    recorded: { folder: elsewhere, git },
    git: null,
    evidence: 'unrelated',
  },
  { when: 'the recorded folder was in none', recorded: { folder: elsewhere }, git, evidence: 'unrelated' },
  ...(['a', 'b'] as const).map((host): Case => ({
    when: `the origin is a path on machine ${host}`,
    recorded: { folder: { ...elsewhere, host }, git: { origins: ['file:/srv/shop'], pathInRepository: '' } },
    git: { origins: ['file:/srv/shop'], pathInRepository: '' },
    evidence: host === 'a' ? 'same-origin' : 'unrelated',
  })),
  {
    when: 'the origin is a drive on another machine',
    recorded: { folder: { ...elsewhere, host: 'b' }, git: { origins: ['file:c:/shop'], pathInRepository: '' } },
    git: { origins: ['file:c:/shop'], pathInRepository: '' },
    evidence: 'unrelated',
  },
  {
    when: 'the origin is a share that both machines see',
    recorded: { folder: { ...elsewhere, host: 'b' }, git: { origins: ['file://nas/shop'], pathInRepository: '' } },
    git: { origins: ['file://nas/shop'], pathInRepository: '' },
    evidence: 'same-origin',
  },
];

describe('the evidence of a folder that knows only a name', () => {
  for (const { when, recorded, evidence, ...rest } of cases) {
    it(`is ${evidence} when ${when}`, () => {
      const isThere = rest.recordedIsGone !== true;
      assert.equal(compareEvidence(recorded, here, rest.git ?? null, isThere), evidence);
    });
  }

  it('connects two machines only by an origin that both can reach, at the same place in it', () => {
    const anyOrigin = fc.constantFrom('github.com/acme/shop', 'github.com/acme/till', 'file:/srv/shop', 'file:c:/shop');
    const anyGit = fc.record({
      origins: fc.uniqueArray(anyOrigin),
      pathInRepository: fc.constantFrom('', 'packages/web'),
    });
    fc.assert(
      fc.property(anyGit, anyGit, fc.boolean(), (one, other, isThere) => {
        const shared = one.origins.some((shown) => !shown.startsWith('file:') && other.origins.includes(shown));
        const connected = shared && one.pathInRepository === other.pathInRepository;
        const recorded = { folder: { ...here, host: 'b' }, git: one };
        assert.equal(compareEvidence(recorded, here, other, isThere), connected ? 'same-origin' : 'unrelated');
      }),
    );
  });
});
