import { contract } from '../contract/contract.ts';
import { postgresGround } from '../contract/postgresGround.ts';

describe('the contract of registry and catalog, on PostgreSQL', function () {
  this.timeout(60_000);
  contract(postgresGround);
});
