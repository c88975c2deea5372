/**
 * What the work gives, or what `late` gives or throws when the work is not done in time. The work goes on all the same,
 * unless `late` ends it.
 *
 * @param ms milliseconds
 */
export async function withLimit<T>(ms: number, work: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      // In a promise of its own, what `late` throws is a rejection.
      resolve(
        new Promise<T>((done) => {
          done(late());
        }),
      );
    }, ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does the work, and cuts it off when the time is over, such as by destroying the connection that it waits for. The work
 * then ends by itself, with what it makes of that.
 *
 * @param ms milliseconds
 */
export async function cutAfter<T>(ms: number, cut: () => void, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(cut, ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
