/** What a person reads where the manifest has `%key%`. */
export function textOf(reference: string, texts: Record<string, string>): string {
  const key = /^%(.+)%$/.exec(reference)?.[1];
  return key === undefined ? reference : (texts[key] ?? reference);
}
