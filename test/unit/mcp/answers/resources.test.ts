import assert from 'node:assert/strict';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { notices } from '../../../../daemon/mcp/answers/fence.ts';
import { RegistrarError } from '../../../../daemon/protocol/registrarError.ts';
import { emptySync, shop } from '../../cli/fakeCli.ts';
import { attach, serveAgents, type ServedAgents } from '../agentFixture.ts';

describe('the resources for agents', () => {
  let served: ServedAgents;
  let client: Client;
  const asked: string[] = [];
  let trouble: Error | null = null;
  before(async () => {
    served = await serveAgents({
      showProject: async ({ project }) => {
        asked.push(project);
        if (project === shop.id) return shop;
        throw new RegistrarError({ code: 'PROJECT_NOT_FOUND', message: `There is no ${project}.`, hint: 'List them.' });
      },
      syncStatus: async () => {
        if (trouble) throw trouble;
        return emptySync;
      },
    });
    client = await attach(served.url);
  });
  after(async () => {
    await client.close();
    await served.close();
  });

  async function read(uri: string): Promise<unknown> {
    const { contents } = await client.readResource({ uri });
    assert.deepEqual(
      contents.map((content) => [content.uri, content.mimeType]),
      [[uri, 'application/json']],
    );
    return JSON.parse((contents[0] as { text: string }).text);
  }

  it('are the status, and each project by its id', async () => {
    const { resources } = await client.listResources();
    assert.deepEqual(
      resources.map(({ uri }) => uri),
      ['registrar://status'],
    );
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.deepEqual(
      resourceTemplates.map(({ uriTemplate }) => uriTemplate),
      ['registrar://projects/{id}'],
    );
    const server = { address: 'localhost:5432', source: 'file' };
    const notice = notices.registry;
    assert.deepEqual(await read('registrar://status'), { notice, server, sync: emptySync });
    assert.deepEqual(await read(`registrar://projects/${shop.id}`), { notice, ...shop });
  });

  it('that are not there say so with a code and what to do, however they are spelled', async () => {
    for (const [spelled, project] of [
      ['nobody', 'nobody'],
      ['a%2Fb', 'a/b'],
      ['100%', '100%'],
    ] as const) {
      await assert.rejects(read(`registrar://projects/${spelled}`), {
        code: -32002,
        message: new RegExp(`There is no ${project}\\.`),
        data: { code: 'PROJECT_NOT_FOUND', hint: 'List them.' },
      });
      assert.equal(asked.at(-1), project);
    }
    assert.deepEqual(served.faults, []);
  });

  it('that cannot be read say why, and a fault is reported', async () => {
    trouble = new RegistrarError({ code: 'REGISTRY_UNREACHABLE', message: 'No answer.', hint: 'Start it.' });
    await assert.rejects(read('registrar://status'), {
      code: -32603,
      message: /No answer\./,
      data: { code: 'REGISTRY_UNREACHABLE', hint: 'Start it.' },
    });
    assert.deepEqual(served.faults, []);
    trouble = new Error('a defect');
    await assert.rejects(read('registrar://status'), { code: -32603, message: /unexpectedly: "a defect"/ });
    assert.deepEqual(served.faults, [trouble]);
  });
});
