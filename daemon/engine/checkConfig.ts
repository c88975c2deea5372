import { realpath } from 'node:fs/promises';
import { readConfigFile, type ConfigFileContent } from '../config/configFile.ts';
import { decidedProblems, faultProblem } from '../config/configProblems.ts';
import { parseConfig, type ParsedConfig } from '../config/parseConfig.ts';
import type { ConfigProblem } from '../protocol/configProblems.ts';
import type { Resolution } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { ResolutionPorts, WorkspaceConfig } from '../resolution/ports.ts';

/**
 * What is wrong with a config file whose text would be this, as in an editor. Creates and writes nothing.
 *
 * @param look resolves a folder with this config in a dry run; null while no PostgreSQL can be asked
 */
export async function checkConfig(
  given: { path: string; text: string },
  look: (config: WorkspaceConfig) => Promise<Resolution | null>,
): Promise<ConfigProblem[]> {
  const { text } = given;
  // Folders are compared by their real paths.
  const path = await realpath(given.path).catch(() => given.path);
  const parsed = parseText(text, path);
  if (parsed instanceof RegistrarError) return [faultProblem(text, parsed.toReport())];
  const file = await readConfigFile(path).catch(() => null);
  if (!file) return [];
  const answer = await look({ ...parsed, uid: file.uid });
  return answer ? decidedProblems(text, parsed, answer, isIdIn(file, path)) : [];
}

/** Ports that answer as if this config were in its file, and save nothing. */
export function withConfig(ports: ResolutionPorts, config: WorkspaceConfig): ResolutionPorts {
  const { memory } = ports.registry;
  const { path, folder } = config;
  const found = { kind: 'found', path, folder, from: folder, viaWorktreeOf: null } as const;
  const ignore = (): void => undefined;
  return {
    ...ports,
    registry: {
      ...ports.registry,
      memory: { recall: (keys, folder) => memory.recall(keys, folder), remember: ignore, forget: ignore },
    },
    // The name that was typed goes into the file, whatever this machine binds the folder to.
    bindings: { at: () => null },
    config: {
      ...ports.config,
      find: () => Promise.resolve(found),
      async read(_path, vouch) {
        await vouch(config);
        return config;
      },
    },
  };
}

function isIdIn({ bytes }: ConfigFileContent, path: string): boolean {
  const parsed = parseText(bytes, path);
  return !(parsed instanceof RegistrarError) && parsed.id !== null;
}

function parseText(text: string | Uint8Array, path: string): ParsedConfig | RegistrarError {
  try {
    return parseConfig(typeof text === 'string' ? Buffer.from(text) : text, path);
  } catch (error) {
    if (error instanceof RegistrarError) return error;
    throw error;
  }
}
