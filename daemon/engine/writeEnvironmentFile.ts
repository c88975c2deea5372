import { readFile, realpath, stat } from 'node:fs/promises';
import { gitTracking } from '../git/gitCheckout.ts';
import { createFile, replaceUnlessChanged, writeFailureWords, type FileVersion } from '../files/replaceFile.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { osErrorCode } from '../files/osError.ts';

/** Larger ones are no `.env` file. */
const maxBytes = 1_048_576;

/**
 * Writes a file that contains a password, completely or not at all. Owner, mode and symbolic links stay; only the user
 * can read a new one.
 *
 * @param path absolute
 * @param edit makes the new bytes from the old, which are null when there is no file; called again when somebody else
 *   wrote meanwhile
 * @throws RegistrarError INVALID_ARGUMENT when git tracks the file, or it cannot be read or written; it is then as it
 *   was
 */
export async function writeEnvironmentFile(
  path: string,
  edit: (before: Buffer | null) => Buffer,
): Promise<'created' | 'changed' | 'unchanged'> {
  try {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const before = await read(path);
      await refuseTracked(path);
      const bytes = edit(before?.bytes ?? null);
      if (!before) {
        await createFile(path, bytes, 0o600);
        return 'created';
      }
      if (bytes.equals(before.bytes)) return 'unchanged';
      if (await replaceUnlessChanged(path, before, bytes, () => readFile(path))) return 'changed';
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof RegistrarError || code === '') throw error;
    throw notWritten(`${path} ${writeFailureWords(code)}`, error);
  }
  throw notWritten(`another program keeps changing ${path}`);
}

async function read(path: string): Promise<FileVersion | null> {
  let target: string;
  try {
    target = await realpath(path);
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const stats = await stat(target);
  if (!stats.isFile()) throw notWritten(`${path} is not a file`);
  if (stats.size > maxBytes) throw notWritten(`${path} is larger than ${maxBytes / 1024} KiB`);
  return { target, stats, bytes: await readFile(target) };
}

/** In doubt it could be tracked. */
async function refuseTracked(path: string): Promise<void> {
  const tracking = await gitTracking(path);
  if (tracking === 'untracked') return;
  const reason =
    tracking === 'tracked'
      ? `git tracks ${path}`
      : `Registrar cannot tell whether git tracks ${path}, because it cannot read the repository`;
  throw new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `${reason}, and the password must not get into a repository; nothing was written.`,
    hint: 'Name a file that git ignores, such as .env.local, or use registrar exec, which needs no file.',
  });
}

function notWritten(message: string, cause?: unknown): RegistrarError {
  return new RegistrarError(
    { code: 'INVALID_ARGUMENT', message: `${message}; nothing was written.`, hint: 'Name another file.' },
    { cause },
  );
}
