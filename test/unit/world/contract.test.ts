import { contract } from '../../contract/contract.ts';
import { worldGround } from '../../contract/worldGround.ts';

describe('the contract of registry and catalog, in the world', () => {
  contract(worldGround);
});
