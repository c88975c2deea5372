import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { osErrorCode } from '../files/osError.ts';

/** Makes the folder that a first look needs, or finds it; gives its absolute path. */
export async function sampleWorkspace(stateFolder: string): Promise<string> {
  const folder = join(stateFolder, 'sample-workspace');
  await mkdir(join(folder, '.codebase-mcp'), { recursive: true });
  const config = { version: '1.0', project: { name: 'sample' } };
  // An existing one keeps its id.
  await writeFile(join(folder, '.codebase-mcp', 'config.json'), `${JSON.stringify(config, null, 2)}\n`, {
    flag: 'wx',
  }).catch((error: unknown) => {
    if (osErrorCode(error) !== 'EEXIST') throw error;
  });
  return folder;
}
