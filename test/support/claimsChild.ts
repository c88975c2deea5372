// Opens the claims file of its argument, says "open", and once it hears a line keeps 50 claims, one after the other.
import { once } from 'node:events';
import type { KeptClaim } from '../../daemon/registry/model.ts';
import { ClaimsFile } from '../../daemon/stateFolder/claimsFile.ts';

const [path = '', folders = ''] = process.argv.slice(2);
const claims = await ClaimsFile.open(path, {
  perFolder: true,
  onFailure: (error) => {
    throw error;
  },
});
process.stdout.write('open\n');
await once(process.stdin, 'data');
for (let index = 0; index < 50; index += 1) {
  const claim: KeptClaim = {
    hostId: 'host',
    host: 'machine',
    path: `${folders}/${String(index)}`,
    identity: null,
    dotGit: null,
    origins: [],
    name: 'shop',
    at: '2026-11-30T10:00:00.000Z',
  };
  await claims.keep('shop', claim);
}
process.exit(0);
