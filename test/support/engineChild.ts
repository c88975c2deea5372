import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../daemon/engine/engine.ts';
import { openEngine } from '../../daemon/engine/openEngine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import type { Reply, Request } from './engineProcess.ts';
import { fileCalls, setFileKillPoint } from './fileKillPoint.ts';
import { patientLimits } from './patientLimits.ts';

// An engine in a process of its own: does what its parent says and answers in JSON, until it is closed or killed.
let engine: Engine | null = null;

process.on('message', ({ id, request }: { id: number; request: Request }) => {
  carryOut(request).then(
    (result) => {
      send({ id, result });
    },
    (error: unknown) => {
      send({ id, error: error instanceof RegistrarError ? error.toReport() : null, text: String(error) });
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function carryOut(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'open': {
      const { url, fileKillPlan, hurries, ...options } = request.options;
      await setFileKillPoint(fileKillPlan ?? null);
      engine = await openEngine({
        ...options,
        address: parseAddress(url, {}, localSurroundings()),
        source: 'environment',
        limits: patientLimits,
        ...(hurries ? { pause: (ms: number) => delay(ms / 10) } : {}),
        log: { info: () => undefined, warn: () => undefined },
      });
      return null;
    }
    case 'call': {
      if (!engine) throw new Error('the engine is not open');
      const command = engine[request.method] as (params: unknown) => Promise<unknown>;
      return command(request.params);
    }
    case 'close':
      await engine?.close();
      engine = null;
      return fileCalls();
  }
}

function send(reply: Reply): void {
  process.send?.(reply);
}
