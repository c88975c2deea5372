/** Asks again every 20 ms until the answer is true; rejects, naming what was awaited and seen, after the limit (ms). */
export async function waitFor(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = 30_000,
  seen: () => unknown = () => '',
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs} ms in vain for ${what}. ${JSON.stringify(seen())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
