import type { Caller, ControlHandlers } from '../control/clientConnection.ts';
import { engineMethods, factsOf, forOperations, type EngineMethod } from '../protocol/methods.ts';
import type { Engine } from './engine.ts';
import type { EngineAccess } from './engineAccess.ts';

/** The daemon's side of what engines do. */
export function engineHandlers(access: Pick<EngineAccess, 'read' | 'change'>): Pick<ControlHandlers, EngineMethod> {
  // Which parameters belong to which operation is lost where it is looked up by name.
  type Asked = Record<EngineMethod, (...given: unknown[]) => Promise<unknown>>;
  const handlers = forOperations(engineMethods, (method) => {
    const { effect, with: besides } = factsOf(method);
    return (params: unknown, caller: Caller, signal: AbortSignal) => {
      const more = { steps: [caller.progress], signal: [signal], none: [] }[besides ?? 'none'];
      const run = (engine: Engine) => (engine as unknown as Asked)[method](params, ...more);
      return effect === 'reads' ? access.read(caller, run) : access.change(caller, run);
    };
  });
  return handlers as unknown as Pick<ControlHandlers, EngineMethod>;
}
