import assert from 'node:assert/strict';
import type { RegistryPorts } from '../../../daemon/registry/ports.ts';
import type { ConfigSearch, ResolutionPorts, WorkflowAnswer } from '../../../daemon/resolution/ports.ts';
import { resolve } from '../../../daemon/resolution/resolve.ts';

const server = { address: 'localhost:5432', source: 'environment' } as const;

/** Tiers that find nothing, on a clock that each of them moves on. */
class EmptyWorld {
  time = 0;
  asked: string[] = [];
  find: () => ConfigSearch = () => ({ kind: 'none', from: '/work/shop', upTo: '/work', why: 'repository' });
  active: WorkflowAnswer = { kind: 'none', reason: 'no project is active', cached: false };

  ports(): ResolutionPorts {
    const take = (what: string, durationMs: number): void => {
      this.asked.push(what);
      this.time += durationMs;
    };
    return {
      // No tier gets as far as the registry here; one that did would fail on it.
      registry: {} as RegistryPorts,
      config: {
        find: () => {
          take('config', 1.234);
          // As a port does: a fault rejects, it does not throw at once.
          return new Promise((settle) => {
            settle(this.find());
          });
        },
        read: () => assert.fail('there is nothing to read'),
        idWriter: () => assert.fail('there is nothing to write'),
      },
      bindings: { at: () => null },
      workflow: {
        activeProject: () => {
          take('workflow', 20);
          return Promise.resolve(this.active);
        },
      },
      defaultProject: null,
      trust: {
        windows: () => [],
        trustedFolders: () => Promise.resolve([]),
        daemonUid: 1000,
        separator: '/',
        realPath: (path) => Promise.resolve(path),
      },
      host: 'here',
      clock: () => this.time,
    };
  }
}

describe('a resolution', () => {
  it('R12: asks each tier once, in order, and says why and how long', async () => {
    const world = new EmptyWorld();
    const answer = await resolve({ directory: '/work/shop' }, world.ports(), server);
    assert.deepEqual(world.asked, ['config', 'workflow']);
    assert.deepEqual(answer.trace, [
      { tier: 1, name: 'explicit', outcome: 'skipped', reason: 'no project given', durationMs: 0 },
      {
        tier: 2,
        name: 'config',
        outcome: 'missed',
        reason: 'no .codebase-mcp/config.json from /work/shop up to the repository root /work',
        durationMs: 1.23,
      },
      { tier: 3, name: 'workflow', outcome: 'missed', reason: 'no project is active', durationMs: 20 },
      { tier: 4, name: 'default', outcome: 'skipped', reason: 'the default project is off', durationMs: 0 },
    ]);
    assert.deepEqual([answer.outcome, answer.tier, answer.error?.code], ['unresolved', null, 'UNRESOLVED']);
    assert.equal(answer.error?.message, answer.trace[1]?.reason);
  });

  it('R12: says nothing about config files to a caller without a directory', async () => {
    const world = new EmptyWorld();
    const answer = await resolve({}, world.ports(), server);
    assert.deepEqual(world.asked, ['workflow']);
    assert.equal(answer.trace[1]?.reason, 'no directory given');
    assert.equal(answer.error?.message, 'no project was named, and no directory has one');
  });

  it('R2: ends at a tier that fails, whatever the failure, and asks none below it', async () => {
    const world = new EmptyWorld();
    world.find = () => {
      throw new TypeError('not foreseen');
    };
    const answer = await resolve({ directory: '/work/shop' }, world.ports(), server);
    assert.deepEqual(world.asked, ['config']);
    assert.deepEqual([answer.outcome, answer.tier, answer.error?.code], ['refused', 2, 'INTERNAL']);
    assert.match(answer.error?.hint ?? '', /report it/);
    assert.deepEqual(
      answer.trace.map(({ name, outcome }) => `${name} ${outcome}`),
      ['explicit skipped', 'config failed'],
    );
  });
});
