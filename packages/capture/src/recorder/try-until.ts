import { within } from './within';

const FIRST_WAIT_MS = 100;
/** After work that went well and left something: it comes by itself, if it does. */
const LOOK_AGAIN_MS = 10;

/** Does `work` again and again, after longer and longer waits, until nothing is left to do or the time is up. */
export async function tryUntil(
  deadline: number,
  isLeft: () => boolean,
  work: () => Promise<void>,
): Promise<void> {
  let wait = FIRST_WAIT_MS;
  while (isLeft()) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    const isDone = await within(
      left,
      work().then(
        () => true,
        () => false,
      ),
    );
    if (isDone === undefined || !isLeft()) return;
    await within(Math.min(isDone ? LOOK_AGAIN_MS : wait, deadline - performance.now()), undefined);
    if (!isDone) wait *= 2;
  }
}
