import { openEngine } from '../../daemon/engine/openEngine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { patientLimits } from './patientLimits.ts';
import type { ChildRequest } from './resolveAsUser.ts';

// An engine of another user: resolves one directory, prints the answer as JSON and ends.
const { url, stateFolder, home, settings, windows, directory } = JSON.parse(process.argv[2] ?? '{}') as ChildRequest;
const engine = await openEngine({
  address: parseAddress(url, {}, localSurroundings()),
  source: 'environment',
  stateFolder,
  home,
  log: { info: () => undefined, warn: () => undefined },
  limits: patientLimits,
  settings,
  windows: () => windows,
});
process.stdout.write(JSON.stringify(await engine.resolve({ directory })));
await engine.close();
