import { chmod, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from './cachedFolder.ts';
import { runProcess } from './runProcess.ts';

const version = '4.139.1';

/**
 * The server part of VS Code out of the npm package code-server, which needs no download from anywhere but npm.
 *
 * @returns the path of its `out/server-main.js`
 */
export async function serverVSCode(): Promise<string> {
  const folder = await cachedFolder(`code-server-${version}`, async (partial) => {
    console.log(`Getting VS Code from the npm package code-server ${version} (46 MB) …`);
    const npm = process.env.npm_execpath;
    const runNpm = (args: string[], cwd: string): Promise<void> =>
      npm === undefined ? runProcess('npm', args, cwd) : runProcess(process.execPath, [npm, ...args], cwd);

    await runNpm(['pack', '--silent', `code-server@${version}`], partial);
    const tarball = `code-server-${version}.tgz`;
    await runProcess('tar', ['-xzf', tarball, 'package/lib/vscode'], partial);
    await rm(path.join(partial, tarball));
    await rename(path.join(partial, 'package/lib/vscode'), path.join(partial, 'vscode'));
    // Its install scripts compile for other uses; the optional dependencies carry the file watcher, ready to run.
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    await runNpm(['install', '--omit=dev', '--ignore-scripts', ...quiet], path.join(partial, 'vscode'));
    await chmod(partial, 0o755);
  });
  return path.join(folder, 'vscode/out/server-main.js');
}
