/** Whether one version is newer than another. Versions that are not numbers with dots, such as a checkout's, are never. */
export function isNewer(version: string, than: string): boolean {
  const [one, other] = [numbers(version), numbers(than)];
  if (!one || !other) return false;
  for (const [index, part] of one.entries()) {
    const difference = part - (other[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function numbers(version: string): number[] | null {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(version);
  return match ? match.slice(1, 4).map(Number) : null;
}
