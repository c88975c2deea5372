export type Json = Record<string, unknown>;

/** A value as `jsonb` gives it back: the keys of objects shortest first, those of one length in the order of their bytes. */
export function jsonb<T>(value: T): T {
  return sorted(value) as T;
}

/** A copy without what JSON has not: nothing that is kept here is a date. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((inner: unknown) => (inner === undefined ? null : sorted(inner)));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Json = {};
  for (const key of Object.keys(value).sort((one, other) => one.length - other.length || (one < other ? -1 : 1))) {
    const inner = (value as Json)[key];
    if (inner !== undefined) copy[key] = sorted(inner);
  }
  return copy;
}

/** Whether two values are the same `jsonb`; what is absent is null. */
export function isSameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(jsonb(one ?? null)) === JSON.stringify(jsonb(other ?? null));
}
