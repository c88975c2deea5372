import { join } from 'node:path';
import type { Uninstall } from '../cli/cliContext.ts';
import { bundledDataFolder, removeBundledServer } from '../embedded/removeBundledServer.ts';
import { removeStateFolder, stateEntries } from '../stateFolder/removeStateFolder.ts';
import type { AgentConnections } from '../protocol/agentConnections.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';

/** What there is of Registrar on this machine besides its program, and how it is removed. */
export function uninstall(stateFolder: string, connections: Pick<AgentConnections, 'list' | 'remove'>): Uninstall {
  const postgres = join(stateFolder, 'postgres');
  return {
    async found() {
      return {
        stateFolder,
        entries: await stateEntries(stateFolder),
        bundledData: await bundledDataFolder(postgres),
        agents: (await connections.list()).map(({ agent, file }) => ({ agent, file })),
      };
    },
    async remove() {
      await removeBundledServer(postgres);
      const failures: ErrorReport[] = [];
      // Before the folder, which records what was added where. An entry that cannot be removed is reported, and stays.
      for (const { file } of await connections.list()) {
        try {
          await connections.remove(file);
        } catch (error) {
          if (!(error instanceof RegistrarError)) throw error;
          failures.push(error.toReport());
        }
      }
      return { failures, left: await removeStateFolder(stateFolder) };
    },
  };
}
