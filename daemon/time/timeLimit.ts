const slices = 5;

/**
 * Calls back when the time is over, unless it is stopped before. The time passes in slices: when this very process was
 * suspended, the timer that is late is one of several, and what came meanwhile is read before the next. Else a client that
 * was suspended would take the daemon for the one that was.
 *
 * @param ms milliseconds
 * @returns stops it
 */
export function startTimeLimit(ms: number, onOver: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = setTimeout(() => {
      if (left === 0) onOver();
      else wait(left - 1);
    }, ms / slices);
  };
  wait(slices - 1);
  return () => {
    clearTimeout(timer);
  };
}
