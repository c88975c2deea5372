import type { Caller, ControlHandlers } from '../control/clientConnection.ts';
import { engineMethods, factsOf, forOperations, type EngineMethod } from '../protocol/methods.ts';
import type { Engine } from './engine.ts';

export type Using = <T>(caller: Caller, run: (engine: Engine) => Promise<T>) => Promise<T>;

/** The daemon's side of what engines do. @param change has windows drawn anew afterwards */
export function engineHandlers(read: Using, change: Using): Pick<ControlHandlers, EngineMethod> {
  // Which parameters belong to which operation is lost where it is looked up by name.
  type Asked = Record<EngineMethod, (...given: unknown[]) => Promise<unknown>>;
  const handlers = forOperations(engineMethods, (method) => {
    const { effect, with: besides } = factsOf(method);
    const using = effect === 'reads' ? read : change;
    return (params: unknown, caller: Caller, signal: AbortSignal) => {
      const more = { steps: [caller.progress], signal: [signal], none: [] }[besides ?? 'none'];
      return using(caller, (engine) => (engine as unknown as Asked)[method](params, ...more));
    };
  });
  return handlers as unknown as Pick<ControlHandlers, EngineMethod>;
}
