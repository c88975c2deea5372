import { claimsContract } from '../../contract/claimsContract.ts';
import { claimsOnDisk, memoryOnDisk, outboxOnDisk } from '../../contract/diskStores.ts';
import { memoryContract } from '../../contract/memoryContract.ts';
import { outboxContract } from '../../contract/outboxContract.ts';
import { claimsInWorld, memoryInWorld, outboxInWorld } from '../../contract/worldStores.ts';

describe('the contract of the outbox', () => {
  describe('on a disk', () => {
    outboxContract(outboxOnDisk);
  });
  describe('in the world', () => {
    outboxContract(outboxInWorld);
  });
});

describe('the contract of what a daemon knows', () => {
  describe('on a disk', () => {
    memoryContract(memoryOnDisk);
  });
  describe('in the world', () => {
    memoryContract(memoryInWorld);
  });
});

describe('the contract of claims and local bindings', () => {
  describe('on a disk', () => {
    claimsContract(claimsOnDisk);
  });
  describe('in the world', () => {
    claimsContract(claimsInWorld);
  });
});
