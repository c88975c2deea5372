// Endpoints for agents in a process of their own, as a daemon's is: what an agent waits for is not the work of one
// process alone. Forked by `questions/agents.ts`, with its options as one JSON value in the environment.
import pg from 'pg';
import * as z from 'zod';
import { openLog } from '../daemon/lifecycle/logFile.ts';
import { openEngine } from '../daemon/engine/openEngine.ts';
import { defineTool } from '../daemon/mcp/tools/defineTool.ts';
import { toolList } from '../daemon/mcp/tools/toolList.ts';
import type { Tool } from '../daemon/mcp/tools/toolModel.ts';
import { parseAddress } from '../daemon/postgres/address/address.ts';
import { localSurroundings } from '../daemon/postgres/address/localSurroundings.ts';
import { noSettings } from '../test/support/registryFixture.ts';
import type { AgentServerEnds, AgentServerOptions } from './agentEndpoints.ts';
import { agentHost, emptyServer, optionsVariable, served } from './agentEndpoints.ts';
import { resolved } from './asked.ts';
import { lookOnce, selectOne } from './questions/explicit.ts';

const { url, stateFolder, home, directory } = JSON.parse(process.env[optionsVariable] ?? '') as AgentServerOptions;
const engine = await openEngine({
  address: parseAddress(url, {}, localSurroundings()),
  source: 'environment',
  stateFolder,
  home,
  settings: noSettings,
  log: openLog(stateFolder),
});
const { id } = await resolved(engine.resolve({ directory }));
const pool = new pg.Pool({ connectionString: url, max: 8 });
const host = agentHost(home, engine, [
  ...toolList('standard'),
  emptyTool('nothing', () => Promise.resolve()),
  emptyTool('select_one', () => selectOne(pool)),
  emptyTool('look_once', () => lookOnce(pool, id, id)),
]);
const product = await served((request, response, body) => host.handle(request, response, body));
const bare = await served(emptyServer());
process.send?.({ product, bare, projectId: id } satisfies AgentServerEnds);
// What it holds open ends with it.
process.once('disconnect', () => process.exit());

function emptyTool(name: string, work: () => Promise<unknown>): Tool {
  // What is measured is the way of a call, of whatever tool.
  const tool = defineTool({
    name: 'sync_status',
    title: name,
    description: name,
    input: z.strictObject({}),
    output: z.looseObject({}),
    async handler() {
      await work();
      return { structured: {}, text: '', isError: false };
    },
  });
  return { ...tool, name };
}
