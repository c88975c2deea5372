import { agentHost, emptyServer, served } from '../agentEndpoints.ts';
import { agentOverHttp, type BenchAgent } from '../agentClients.ts';
import { resolved } from '../asked.ts';
import { figuresOf, type Figures } from '../harness.ts';
import type { Question } from '../result.ts';
import { resolvedBy } from './agents.ts';

const clientsAtOnce = 64;
const rounds = 8;
const callsPerRound = 1024;

/** What 64 agents at once get done, against what one does; an empty tool says how much more that can be here. */
export const clients: Question = {
  name: 'clients',
  async ask(server) {
    const engine = await server.engine('registry_clients');
    const { id } = await resolved(engine.createProject({ name: 'of many' }));
    const host = agentHost(server.home, engine);
    const product = await served((request, response, body) => host.handle(request, response, body));
    const empty = await served(emptyServer());
    const asking: BenchAgent[] = [];
    const idle: BenchAgent[] = [];
    try {
      for (let count = 0; count < clientsAtOnce; count += 1) {
        asking.push(await agentOverHttp(product));
        idle.push(await agentOverHttp(empty));
      }
      const resolving = (agent: BenchAgent): Promise<void> => resolvedBy(agent, { project: id });
      const one = new Load();
      const many = new Load();
      const emptyOne = new Load();
      const emptyMany = new Load();
      for (let round = 0; round <= rounds; round += 1) {
        // The first round is the warm-up.
        const counts = round > 0;
        await one.add(asking.slice(0, 1), resolving, counts);
        await emptyOne.add(idle.slice(0, 1), nothing, counts);
        await many.add(asking, resolving, counts);
        await emptyMany.add(idle, nothing, counts);
      }
      const { median, p99 } = many.figures();
      return [
        {
          kind: 'measure',
          what: `\`resolve_project\` over HTTP: calls per second with ${String(clientsAtOnce)} clients, against one`,
          value: many.perSecond() / one.perSecond(),
          unit: '×',
          floor: 'the same of an empty tool',
          floorValue: emptyMany.perSecond() / emptyOne.perSecond(),
          target: { atLeast: 0.9 },
        },
        {
          kind: 'measure',
          what: `\`resolve_project\` over HTTP with ${String(clientsAtOnce)} clients: 99 of 100 are answered within`,
          value: p99,
          unit: 'ms',
          floor: 'half of them are',
          floorValue: median,
          target: { atMost: 5 },
        },
      ];
    } finally {
      await Promise.all([...asking, ...idle].map((agent) => agent.close()));
      await host.close();
      await product.close();
      await empty.close();
    }
  },
};

function nothing(agent: BenchAgent): Promise<unknown> {
  return agent.call('nothing');
}

/** Clients that each ask again as soon as they are answered. */
class Load {
  readonly #times: number[] = [];
  #elapsedMs = 0;

  async add(agents: readonly BenchAgent[], call: (agent: BenchAgent) => Promise<unknown>, counts: boolean) {
    let left = callsPerRound;
    const times: number[] = [];
    const started = performance.now();
    await Promise.all(
      agents.map(async (agent) => {
        while (left > 0) {
          left -= 1;
          const asked = performance.now();
          await call(agent);
          times.push(performance.now() - asked);
        }
      }),
    );
    if (!counts) return;
    this.#elapsedMs += performance.now() - started;
    this.#times.push(...times);
  }

  perSecond(): number {
    return (this.#times.length / this.#elapsedMs) * 1000;
  }

  figures(): Figures {
    return figuresOf(this.#times);
  }
}
