/** The operating system's code (`ENOENT`, `EACCES`, …) of a thrown error, or null when it is another kind of error. */
export function osErrorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
