import { setTimeout as delay } from 'node:timers/promises';
import { isBusy } from './sqlite-errors';

const MAX_WAIT_MS = 25;

/** Tries again while another has the lock: SQLite's own wait would sleep on the thread. */
export async function retryWhileBusy<T>(attempt: () => T, deadline: number): Promise<T> {
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await delay(waitMs * (0.5 + Math.random()));
  }
}
