import { within } from './within';

const FIRST_WAIT_MS = 100;

/** Does `work` again and again, after longer and longer waits, until nothing is left to do or the time is up. */
export async function tryUntil(
  deadline: number,
  isLeft: () => boolean,
  work: () => Promise<void>,
): Promise<void> {
  for (let wait = FIRST_WAIT_MS; isLeft(); wait *= 2) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    const isDone = await within(
      left,
      work().then(
        () => true,
        () => false,
      ),
    );
    if (isDone === false) await within(Math.min(wait, deadline - performance.now()), undefined);
  }
}
