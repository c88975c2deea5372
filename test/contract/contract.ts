import { catalogContract } from './catalogContract.ts';
import { changesContract } from './changesContract.ts';
import { deliveryContract } from './deliveryContract.ts';
import type { Ground } from './ground.ts';
import { heldContract } from './heldContract.ts';
import { lookingContract } from './lookingContract.ts';
import { reservationContract } from './reservationContract.ts';

/** What the rules may rely on, whatever is behind their ports. The same tests run on PostgreSQL and on the world. */
export function contract(makeGround: () => Promise<Ground>): void {
  let ground: Ground;
  before(async () => {
    ground = await makeGround();
  });
  afterEach(() => ground.leave());
  after(() => ground.close());

  const current = (): Ground => ground;
  describe('a look', () => {
    lookingContract(current);
  });
  describe('a reservation', () => {
    reservationContract(current);
  });
  describe('a change', () => {
    changesContract(current);
  });
  describe('a row that is held', () => {
    heldContract(current);
  });
  describe('a database', () => {
    catalogContract(current);
  });
  describe('a delivery', () => {
    deliveryContract(current);
  });
}
