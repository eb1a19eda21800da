import { setTimeout as wait } from 'node:timers/promises';

/**
 * Asks again and again until the answer is as wanted, and resolves to it. The limit is far beyond what it takes: it only
 * ends a test that will not succeed.
 *
 * @throws with the last answer when it never is
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  isWanted: (answer: T) => boolean,
  limitMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(
        `Not within ${limitMs / 1_000} s: ${what}. It was ${JSON.stringify(answer).slice(0, 1_500)}`,
      );
    }
    await wait(10);
  }
}
