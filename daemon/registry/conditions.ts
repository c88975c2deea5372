/** What a rule asks of a case: for each fact that it names the value, or the values, that fit; any fits where it names none. */
export type Conditions<Case> = { readonly [Fact in keyof Case]?: Case[Fact] | readonly Case[Fact][] };

/** Whether a case is as the conditions ask. */
export function holds<Case extends object>(conditions: Conditions<Case>, facts: Case): boolean {
  for (const fact in facts) {
    const wanted: unknown = conditions[fact];
    if (wanted === undefined) continue;
    if (Array.isArray(wanted) ? !wanted.includes(facts[fact]) : wanted !== facts[fact]) return false;
  }
  return true;
}
