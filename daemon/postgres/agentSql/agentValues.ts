import { RegistrarError } from '../../protocol/registrarError.ts';

/** OIDs of pg_type, which never change for the system's own types. */
const json = new Set([114, 3802]);
const boolean = 16;
/** int2, int4, oid, float4, float8: every value is exactly a JSON number, but for NaN and the infinities. */
const numbers = new Set([21, 23, 26, 700, 701]);

/**
 * A JSON value in the text form that PostgreSQL reads. Text stays what it is, also for json; a list is an array, unless the
 * parameter is json.
 */
export function parameterText(value: unknown, type: number): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && !json.has(type)) return arrayText(value);
  return JSON.stringify(value);
}

function arrayText(values: readonly unknown[]): string {
  const elements = values.map((value) => {
    if (value === null) return 'NULL';
    if (Array.isArray(value)) return arrayText(value);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
  });
  return `{${elements.join(',')}}`;
}

/** PostgreSQL's text form as JSON: booleans and numbers that fit; everything else stays text, so that nothing is lost. */
export function jsonValue(text: string | null, type: number): string | number | boolean | null {
  if (text === null) return null;
  if (type === boolean) return text === 't';
  if (!numbers.has(type)) return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** @throws RegistrarError INVALID_ARGUMENT */
export function requireCount(given: number, wanted: number): void {
  if (given === wanted) return;
  throw new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `The statement has ${wanted} parameters ($1, $2, …), but got ${given} values.`,
    hint: 'Give one value for each, in order.',
  });
}
