/** What a fake was asked and has no answer for says so: whoever adds an operation adds answers where a test wants them. */
export function answering<Api extends object>(names: readonly (keyof Api & string)[], answers: Partial<Api>): Api {
  const none = names.map((name) => [name, () => Promise.reject(new Error(`this fake has no answer for ${name}`))]);
  return { ...(Object.fromEntries(none) as Api), ...answers };
}
