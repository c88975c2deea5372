import path from 'node:path';
import { runVSCodeCommand } from '@vscode/test-electron';
import { runProcess } from './runProcess.ts';
import { serverVSCode } from './serverVSCode.ts';

const root = path.resolve(import.meta.dirname, '../..');

/**
 * Packs the extension as it is shipped, and installs it.
 *
 * @param work a folder for the package and for what the installer keeps
 */
export async function installPackage(work: string, extensions: string, isDesktop: boolean): Promise<void> {
  const vsix = path.join(work, 'registrar.vsix');
  const vsce = path.join(root, 'node_modules/@vscode/vsce/vsce');
  const readme = ['--readme-path', 'extension/README.md'];
  const packing = ['package', '--no-dependencies', '--allow-missing-repository', ...readme, '--out', vsix];
  await runProcess(process.execPath, [vsce, ...packing], root);
  const userData = path.join(work, 'installer');
  const args = ['--install-extension', vsix, '--extensions-dir', extensions, '--user-data-dir', userData];
  if (isDesktop) {
    await runVSCodeCommand(args);
    return;
  }
  const server = ['--accept-server-license-terms', '--telemetry-level', 'off', '--server-data-dir', userData];
  await runProcess(process.execPath, [await serverVSCode(), ...args, ...server], root);
}
