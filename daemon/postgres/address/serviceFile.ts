import { invalidAddress } from './invalidAddress.ts';
import { libpqParameters } from './libpqParameters.ts';

/**
 * Reads one service of a libpq service file (https://www.postgresql.org/docs/current/libpq-pgservice.html).
 *
 * @param text The content of the file.
 * @param name The service, spelled exactly as its section.
 * @param path The file's path, for messages.
 * @returns Its parameters by libpq's keyword, the first mention of each as libpq does, or null when the file has no such
 *   section. Throws INVALID_ARGUMENT for a line that libpq would refuse; the text names the line, not its content.
 */
export function readService(text: string, name: string, path: string): Map<string, string> | null {
  let found: Map<string, string> | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found) return found;
      if (line === `[${name}]`) found = new Map();
      continue;
    }
    if (!found) continue;
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(equals, 0));
    if (!Object.hasOwn(libpqParameters, key) || key === 'service' || key === 'servicefile') {
      throw invalidAddress(
        `line ${index + 1} of the PostgreSQL service file ${path} is not a connection parameter`,
        `Correct the section [${name}] of that file: one name=value a line, with the names of libpq.`,
      );
    }
    if (!found.has(key)) found.set(key, line.slice(equals + 1));
  }
  return found;
}
