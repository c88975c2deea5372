import { realpath } from 'node:fs/promises';
import {
  agentMethods,
  factsOf,
  forOperations,
  type AgentApi,
  type AgentMethod,
  type RegistrarApi,
} from '../../protocol/methods.ts';
import type { AgentAsker } from '../../protocol/operationModel.ts';
import { headerDirectory, usableDirectory } from '../bindings.ts';
import type { ToolCall } from './toolModel.ts';

/**
 * The API as one agent's call uses it. It has nothing but what agents may ask for, and every claim is judged as this
 * agent's, whose own folders are those that its person started it for. What the call itself or the session names is no
 * evidence, since the agent may have made what stands there.
 */
export function asAgent(
  api: RegistrarApi,
  { session, header, home, askRoots }: Pick<ToolCall, 'session' | 'header' | 'home' | 'askRoots'>,
): AgentApi {
  let folders: Promise<readonly string[]> | null = null;
  const agent: AgentAsker = {
    folders: () => (folders ??= session.roots(askRoots).then((roots) => realFolders(roots))),
  };
  const realFolders = async (roots: readonly string[]): Promise<readonly string[]> => {
    const { launch } = session;
    const launched = launch && usable(() => usableDirectory(launch.directory, home));
    const named = header === null ? null : usable(() => headerDirectory(header, home));
    const own = roots.map((root) => usable(() => usableDirectory(root, home)));
    const all = [launched, named, ...own].filter((path) => path !== null);
    return Promise.all(all.map((path) => realpath(path).catch(() => path)));
  };
  // Which parameters belong to which operation is lost where it is looked up by name.
  const all = api as unknown as Record<AgentMethod, (...given: unknown[]) => Promise<unknown>>;
  const calls = forOperations(agentMethods, (method) => (params: object | undefined, ...besides: unknown[]) => {
    const { judgesAsker } = factsOf(method);
    return all[method](judgesAsker ? { ...params, agent } : params, ...besides);
  });
  return { server: () => api.server(), ...(calls as unknown as Pick<AgentApi, AgentMethod>) };
}

/** A folder that a client or a command line names; a relative path, `/`, the home folder and the like do not count. */
function usable(read: () => string | null): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
