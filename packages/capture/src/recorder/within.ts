/** With more a timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Waits for `work` or until the time is up, whichever is first; without work, for the time. Resolves to
 * `undefined` when the time is up.
 */
export async function within<T>(ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.min(LONGEST_MS, Math.max(0, ms)), undefined);
  });
  try {
    return await Promise.race(work === undefined ? [timeUp] : [timeUp, work]);
  } finally {
    clearTimeout(timer);
  }
}
