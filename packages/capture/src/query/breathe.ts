import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 8;

/**
 * Lets the host's requests have their turn between the steps of a long answer: call it between two
 * steps, and it waits once more than a few milliseconds have gone by since it last did.
 */
export function createBreather(): () => Promise<void> {
  let sliceStart = performance.now();
  return async () => {
    if (performance.now() - sliceStart < SLICE_MS) return;
    await nextTurn();
    sliceStart = performance.now();
  };
}
