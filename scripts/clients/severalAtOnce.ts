/** Programs wait for the server and for each other's start more than they compute. */
const width = 4;

/** The answers in the items' order. */
export async function severalAtOnce<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const answers = new Array<R>(items.length);
  const waiting = items.entries();
  const next = async (): Promise<void> => {
    for (const [index, item] of waiting) answers[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: width }, next));
  return answers;
}
