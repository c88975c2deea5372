export type Json = Record<string, unknown>;

/** A value as `jsonb` gives it back: the keys of objects shortest first, those of one length in the order of their bytes. */
export function jsonb<T>(value: T): T {
  return sorted(JSON.parse(JSON.stringify(value))) as T;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => one.length - other.length || (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Whether two values are the same `jsonb`; what is absent is null. */
export function isSameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(jsonb(one ?? null)) === JSON.stringify(jsonb(other ?? null));
}
