import type { MemoryPort } from '../../daemon/registry/ports.ts';
import { WorldClaims, type ClaimsFileContent } from '../support/world/claims.ts';
import { Clock } from '../support/world/clock.ts';
import { WorldMemory, type Known } from '../support/world/memory.ts';
import { WorldOutbox, type OutboxFiles } from '../support/world/outbox.ts';
import type { Pass } from '../support/world/passage.ts';
import type { ClaimsStore } from './claimsContract.ts';
import type { OutboxStore } from './outboxContract.ts';
import type { StoreGround } from './storeGround.ts';

function inWorld<Store>(open: (pass: Pass, now: () => string) => Store): StoreGround<Store> {
  const clock = new Clock();
  let isRefusing = false;
  const pass: Pass = () => Promise.resolve(isRefusing ? 'away' : null);
  return {
    open: () => Promise.resolve(open(pass, () => clock.now())),
    refuse(wanted) {
      isRefusing = wanted;
      return Promise.resolve();
    },
    now: () => clock.now(),
    move(ms) {
      clock.move(ms);
    },
    close: () => Promise.resolve(),
  };
}

export function outboxInWorld(): Promise<StoreGround<OutboxStore>> {
  const files: OutboxFiles = new Map();
  return Promise.resolve(inWorld((pass, now) => new WorldOutbox(files, pass, now)));
}

export function memoryInWorld(): Promise<StoreGround<MemoryPort>> {
  const known = new Map<string, Known>();
  return Promise.resolve(inWorld((_pass, now) => new WorldMemory(known, now)));
}

export function claimsInWorld(perFolder: boolean): Promise<StoreGround<ClaimsStore>> {
  const file: ClaimsFileContent = new Map();
  return Promise.resolve(inWorld((pass) => new WorldClaims(file, pass, { what: 'claim-write', perFolder })));
}
