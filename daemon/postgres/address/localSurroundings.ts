import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import type { AddressSurroundings } from './addressSources.ts';
import { invalidAddress } from './invalidAddress.ts';

/** This machine, as far as an address depends on it. `readText` throws INVALID_ARGUMENT for a file that cannot be read. */
export function localSurroundings(): AddressSurroundings {
  return {
    platform: process.platform,
    userName: userName(),
    homeFolder: homedir(),
    readText,
    exists: existsSync,
  };
}

/** A user id without a passwd entry, common in containers, has no name; libpq then requires an explicit one. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? 'postgres';
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw invalidAddress(`${path} cannot be read (${code})`, 'Make it readable, or write the address as a URL.');
  }
}
