import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The processes whose command line holds a text, this one left out. */
export async function processesRunning(text: string): Promise<number[]> {
  const lines = process.platform === 'linux' ? await fromProc() : await fromPs();
  return lines.filter(({ pid, args }) => pid !== process.pid && args.includes(text)).map(({ pid }) => pid);
}

async function fromProc(): Promise<{ pid: number; args: string }[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  // Empty for one that has ended meanwhile.
  const args = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return Promise.all(pids.map(async (pid) => ({ pid, args: await args(pid) })));
}

async function fromPs(): Promise<{ pid: number; args: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout.split('\n').map((line) => ({ pid: Number.parseInt(line, 10), args: line }));
}
