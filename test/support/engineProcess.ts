import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import type { EngineOptions } from '../../daemon/engine/engine.ts';
import type { RegistrarApi } from '../../daemon/protocol/methods.ts';
import { RegistrarError, type ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { FileKillPlan } from './fileKillPoint.ts';

export interface ProcessOptions extends Pick<EngineOptions, 'stateFolder' | 'home' | 'settings'> {
  url: string;
  fileKillPlan?: FileKillPlan;
  /** Waits a tenth as long for an id that another process may be writing into a config. */
  hurries?: boolean;
}

/** What an engine in another process can be asked; all of it answers asynchronously. */
export type Command = Exclude<keyof RegistrarApi, 'server'>;
type Answer<C extends Command> = Awaited<ReturnType<RegistrarApi[C]>>;

export type Request =
  { kind: 'open'; options: ProcessOptions } | { kind: 'call'; method: Command; params: unknown } | { kind: 'close' };

export type Reply = { id: number; result: unknown } | { id: number; error: ErrorReport | null; text: string };

/** An engine in a process of its own, which a test can kill. */
export interface EngineProcess {
  open(options: ProcessOptions): Promise<void>;
  call<C extends Command>(method: C, ...params: Parameters<RegistrarApi[C]>): Promise<Answer<C>>;
  /** Closes the engine; gives the calls that changed files since it was opened. The process stays. */
  close(): Promise<string[]>;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** The process ended before it answered. */
export class ProcessEnded extends Error {}

/** Starts engines in processes of their own. */
export interface EngineProcesses {
  start(): EngineProcess;
  /** Ends every process that was started. */
  close(): Promise<void>;
}

/**
 * Bundles the child as the product is bundled: it starts in a fifth of the time that a child which strips types itself
 * needs, and hundreds are started.
 */
export async function engineProcesses(): Promise<EngineProcesses> {
  const folder = await mkdtemp(join(tmpdir(), 'registrar-test-engine-'));
  const outfile = join(folder, 'engineChild.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'engineChild.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['pg-native'],
    logLevel: 'warning',
  });
  const running = new Set<EngineProcess>();
  return {
    start() {
      const engine = startProcess(outfile, () => running.delete(engine));
      running.add(engine);
      return engine;
    },
    async close() {
      await Promise.all([...running].map((engine) => engine.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startProcess(file: string, onEnd: () => void): EngineProcess {
  const child = fork(file, [], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(file), 'compiled') },
  });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  let hasEnded = false;
  const ended = once(child, 'exit').then(() => {
    hasEnded = true;
    for (const { reject } of waiting.values()) reject(new ProcessEnded('the process ended'));
    waiting.clear();
    onEnd();
  });
  child.on('error', () => undefined);
  child.on('message', (reply: Reply) => {
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('result' in reply) caller?.resolve(reply.result);
    else caller?.reject(reply.error ? new RegistrarError(reply.error) : new Error(reply.text));
  });

  function ask(request: Request): Promise<unknown> {
    if (hasEnded) return Promise.reject(new ProcessEnded('the process has ended'));
    asked += 1;
    const id = asked;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      // A process that is being killed cannot be written to; its end answers.
      child.send({ id, request }, () => undefined);
    });
  }

  return {
    async open(options) {
      await ask({ kind: 'open', options });
    },
    call: <C extends Command>(method: C, ...params: Parameters<RegistrarApi[C]>) =>
      ask({ kind: 'call', method, params: params[0] }) as Promise<Answer<C>>,
    async close() {
      return (await ask({ kind: 'close' })) as string[];
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
