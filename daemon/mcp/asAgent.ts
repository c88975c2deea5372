import { realpath } from 'node:fs/promises';
import type { AgentAsker, RegistrarApi } from '../protocol/methods.ts';
import { headerDirectory, usableDirectory } from './bindings.ts';
import type { ToolCall } from './toolModel.ts';

/**
 * The API as one agent's call uses it: every claim is judged as this agent's, whose own folders are those that its person
 * started it for. What the call itself or the session names is no evidence, since the agent may have made what stands there.
 */
export function asAgent(
  api: RegistrarApi,
  { session, header, home, askRoots }: Pick<ToolCall, 'session' | 'header' | 'home' | 'askRoots'>,
): RegistrarApi {
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
  return {
    ...api,
    resolve: (params, onStep) => api.resolve({ ...params, agent }, onStep),
    createProject: (params, onStep) => api.createProject({ ...params, agent }, onStep),
    useProject: (params, onStep) => api.useProject({ ...params, agent }, onStep),
    connection: (params) => api.connection({ ...params, agent }),
    describeDatabase: (params, signal) => api.describeDatabase({ ...params, agent }, signal),
    queryDatabase: (params, signal) => api.queryDatabase({ ...params, agent }, signal),
  };
}

/** What a client or a command line names; a relative path, `/`, the home folder and the like are nobody's folder. */
function usable(read: () => string | null): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
