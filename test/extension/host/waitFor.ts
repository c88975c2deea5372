/** Asks again every 20 ms until the answer is true; rejects, naming what was awaited, after the limit (ms). */
export async function waitFor(what: string, isSo: () => boolean, limitMs = 15_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
