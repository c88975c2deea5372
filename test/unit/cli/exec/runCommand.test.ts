import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const support = join(import.meta.dirname, '../../../support');
const child = join(support, 'runCommandChild.ts');

const counter = join(support, 'signalCounter.cjs');

describe('X3: running a command', function () {
  this.timeout(60_000);
  let folder = '';

  before(async function () {
    if (process.platform === 'win32') {
      console.log('      not run: these are the rules of POSIX systems');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'registrar-exec-'));
  });
  after(async () => {
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  const asText = () => ({ cwd: folder, encoding: 'utf8' }) as const;

  for (const how of ['replace', 'beside'] as const) {
    const started: ChildProcessWithoutNullStreams[] = [];
    const start = (...command: string[]): ChildProcessWithoutNullStreams => {
      const run = spawn(process.execPath, [child, how, ...command], { cwd: folder, stdio: 'pipe' });
      started.push(run);
      return run;
    };

    describe(how === 'replace' ? 'in this process’s place' : 'beside this process', () => {
      before(function () {
        if (how === 'replace' && (process.platform !== 'linux' || !('execve' in process))) {
          console.log('      not run: only Linux, with a newer Node, does it');
          this.skip();
        }
      });

      // Whatever a failed test left waiting for its input.
      afterEach(() => {
        for (const run of started.splice(0)) run.stdin.destroy();
      });

      it('passes each signal on, once, and gives the status', async () => {
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) {
          // By way of the shell, since a Node that was installed this minute is not run in this process's place.
          const run = start('sh', '-c', 'exec "$0" "$1"', process.execPath, counter);
          const read = reader(run);
          const pid = Number(/ready (\d+)/.exec(await read(/ready \d+\n/))?.[1]);
          assert.equal(pid === run.pid, how === 'replace');
          run.kill(signal);
          await read(new RegExp(`${signal.slice(3)}\n`));
          run.stdin.end('end\n');
          assert.deepEqual(await once(run, 'close'), [7, null], signal);
          assert.equal(await read(/$/), `ready ${pid}\n${signal.slice(3)}\n`);
        }
      });

      it('says of what signal the command died', async () => {
        const run = start('sh', '-c', 'kill -KILL $$');
        const [code, signal] = (await once(run, 'close')) as [number | null, string | null];
        assert.deepEqual([code, signal], how === 'replace' ? [null, 'SIGKILL'] : [137, null]);
      });

      it('gives the command its input, its name, and no signal that is ignored', async () => {
        const run = start('sh', '-c', 'cat; echo $0; grep SigIgn /proc/self/status', 'name');
        const read = reader(run);
        run.stdin.write('first\n');
        await read(/first\n/);
        run.stdin.end('second\n');
        const [code] = (await once(run, 'close')) as [number];
        assert.equal(code, 0);
        assert.match(await read(/$/), /^first\nsecond\nname\n/);
        if (process.platform === 'linux') assert.match(await read(/$/), /SigIgn:\t0+\n$/);
      });

      it('ends like a shell when there is nothing to run', async () => {
        await writeFile(join(folder, 'plain'), 'text');
        await writeFile(join(folder, 'other'), '\x7fELF of another world', { mode: 0o755 });
        await writeFile(join(folder, 'lost'), '#!/nowhere/at/all\n', { mode: 0o755 });
        await mkdir(join(folder, 'sub'), { recursive: true });
        await chmod(join(folder, 'plain'), 0o644);
        for (const [command, status, says] of [
          ['no-such-command', 127, 'no-such-command was not found; nothing was run.'],
          ['./missing', 127, './missing was not found; nothing was run.'],
          ['./plain/x', 127, './plain/x was not found; nothing was run.'],
          ['', 127, ' was not found; nothing was run.'],
          ['./plain', 126, './plain cannot be run: permission denied; nothing was run.'],
          ['./sub', 126, './sub is a folder; nothing was run.'],
          ['./lost', 126, './lost cannot be run: the interpreter that it names is missing; nothing was run.'],
        ] as const) {
          const run = spawnSync(process.execPath, [child, how, command], { cwd: folder, encoding: 'utf8' });
          assert.deepEqual([run.status, run.stdout, run.stderr], [status, '', `${says}\n`]);
        }
        // The shell is asked, as execvp asks it, and does not understand it.
        const other = spawnSync(process.execPath, [child, how, './other'], { cwd: folder, encoding: 'utf8' });
        assert.ok(other.status === 126 || other.status === 127, `${String(other.status)} ${other.stderr}`);
      });

      it('says that a file is being written', async () => {
        const program = await readFile(await realpath('/bin/sh'));
        for (const [name, bytes] of [
          ['fresh', program],
          ['freshScript', '#!/bin/sh\necho ran\n'],
        ] as const) {
          const file = await open(join(folder, name), 'w', 0o755);
          try {
            await file.writeFile(bytes);
            const run = spawnSync(process.execPath, [child, how, `./${name}`, '-c', 'echo ran'], asText());
            const says = `./${name} is being written by another program; nothing was run.\n`;
            assert.deepEqual([run.status, run.stdout, run.stderr], [126, '', says]);
          } finally {
            await file.close();
          }
          const run = spawnSync(process.execPath, [child, how, `./${name}`, '-c', 'echo ran'], asText());
          assert.deepEqual([run.status, run.stdout, run.stderr], [0, 'ran\n', '']);
        }
      });

      it('ends as a shell does for a file that looks like a program and is none', async function () {
        if (process.platform !== 'linux') this.skip();
        const program = await readFile(await realpath('/bin/sh'));
        const spoilt: Record<string, (bytes: Buffer) => Buffer> = {
          // An object file, as a compiler leaves it.
          object: (bytes) => with16(bytes, 16, 1),
          'core dump': (bytes) => with16(bytes, 16, 4),
          'headers of another size': (bytes) => with16(bytes, 54, 32),
          'no headers': (bytes) => with16(bytes, 56, 0),
          cut: (bytes) => bytes.subarray(0, 70),
          'of another machine': (bytes) => with16(bytes, 18, bytes.readUInt16LE(18) === 62 ? 183 : 62),
        };
        for (const [name, spoil] of Object.entries(spoilt)) {
          const file = join(folder, name);
          await writeFile(file, spoil(Buffer.from(program)), { mode: 0o755 });
          // As after a build of yesterday: what was written just now is run with more care.
          await utimes(file, 1, 1);
          const run = spawnSync(process.execPath, [child, how, `./${name}`, '-c', 'echo ran'], asText());
          // The shell is asked, as execvp asks it, and does not understand it.
          assert.ok([2, 126, 127].includes(run.status ?? 0), `${name}: ${String(run.status)} ${run.stderr}`);
          assert.equal(run.stdout, '', name);
        }
      });

      it('says that the interpreter of a script is being written, or may not be run', async () => {
        const interpreter = join(folder, `interpreter-${how}`);
        await writeFile(join(folder, 'interpreted'), `#!${interpreter}\n`, { mode: 0o755 });
        await utimes(join(folder, 'interpreted'), 1, 1);
        const file = await open(interpreter, 'w', 0o755);
        try {
          await file.writeFile(await readFile(await realpath('/bin/sh')));
          const run = spawnSync(process.execPath, [child, how, './interpreted'], asText());
          assert.deepEqual(
            [run.status, run.stderr],
            [126, './interpreted is being written by another program; nothing was run.\n'],
          );
        } finally {
          await file.close();
        }
        await chmod(interpreter, 0o644);
        const run = spawnSync(process.execPath, [child, how, './interpreted'], asText());
        assert.deepEqual(
          [run.status, run.stderr],
          [126, './interpreted cannot be run: permission denied; nothing was run.\n'],
        );
      });

      it('runs text without a first line by the shell', async () => {
        await writeFile(join(folder, 'script'), 'echo "by the shell: $1"; exit 5', { mode: 0o755 });
        const run = spawnSync(process.execPath, [child, how, './script', 'a b'], { cwd: folder, encoding: 'utf8' });
        assert.deepEqual([run.status, run.stdout], [5, 'by the shell: a b\n']);
      });

      it('says that arguments are too long', () => {
        // Longer than this test may start anything with, so the child makes them.
        const make = `process.argv.push(${JSON.stringify(how)}, 'true', ...Array(100).fill('x'.repeat(100000)))`;
        const code = `${make}; import(${JSON.stringify(child)})`;
        const run = spawnSync(process.execPath, ['-e', code, 'x'], { cwd: folder, encoding: 'utf8' });
        assert.deepEqual(
          [run.status, run.stderr],
          [126, 'true was given more arguments and variables than the system allows; nothing was run.\n'],
        );
      });

      it('lets Ctrl-C arrive once, and Ctrl-Z stop the command until fg', async function () {
        const shell = ['bash', '--norc', '--noprofile', '-i'];
        await writeFile(
          join(folder, 'run'),
          `exec '${process.execPath}' '${child}' ${how} '${process.execPath}' '${counter}'\n`,
        );
        const steps = [
          ['bash-', 'bash ./run\r'],
          ['ready', ''],
          ['\n', '\x03'],
          ['INT', '\x1a'],
          ['Stopped', ''],
          ['bash-', 'fg\r'],
          // Only the command reads that; until it does, the terminal may still be the shell's.
          ['bash ./run', 'again\r'],
          ['heard again', '\x03'],
          ['INT', 'end\r'],
          ['bash-', 'echo "status $?"; exit\r'],
        ];
        const run = onTerminal(steps, shell, folder);
        if (!run) {
          this.skip();
          return;
        }
        assert.match(run, /status 7\n/);
        assert.equal(run.match(/^(\^C)?INT$/gm)?.length, 2, run);
      });
    });
  }
});

/** Bytes with a number in place of another (elf(5)). */
function with16(bytes: Buffer, offset: number, value: number): Buffer {
  bytes.writeUInt16LE(value, offset);
  return bytes;
}

/** Null, with the reason on the console, where there is no python3 to make a terminal. */
function onTerminal(steps: string[][], command: string[], cwd: string): string | null {
  const script = join(support, 'terminal.py');
  const run = spawnSync('python3', [script, JSON.stringify(steps), ...command], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TERM: 'dumb' },
  });
  if (run.error && process.env['CI'] === undefined) {
    console.log(`      not run: python3 makes the terminal (${run.error.message})`);
    return null;
  }
  assert.ifError(run.error);
  assert.notEqual(run.status, 99, run.stdout);
  return run.stdout;
}

/** Gives all that came on standard output, once it matches. */
function reader(run: ChildProcessWithoutNullStreams): (pattern: RegExp) => Promise<string> {
  let text = '';
  run.stderr.pipe(process.stderr);
  run.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return async (pattern) => {
    while (!pattern.test(text)) await once(run.stdout, 'data');
    return text;
  };
}
