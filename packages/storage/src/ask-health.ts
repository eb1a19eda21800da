import type { Backend, Health } from './backend';
import { deadlineProblem } from './check-health';
import { MAX_TIMER_MS } from './check-options';
import { errorCode, StorageError } from './errors';

/** What a backend beyond its deadline gets to answer by itself, with the reason. */
const GRACE_MS = 250;

/** The health of a backend, also of one by somebody else that rejects or does not answer. */
export async function askHealth(
  backend: Pick<Backend, 'name' | 'health'>,
  deadlineMs: number,
): Promise<Health> {
  const problem = deadlineProblem(deadlineMs);
  if (problem !== undefined) return { healthy: false, latencyMs: 0, error: problem };
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        reject(
          new StorageError(
            'UNAVAILABLE',
            `The ${backend.name} backend did not answer within ${deadlineMs} ms.`,
          ),
        );
      },
      Math.min(deadlineMs + GRACE_MS, MAX_TIMER_MS),
    );
  });
  try {
    return await Promise.race([backend.health(deadlineMs), late]);
  } catch (cause) {
    const error =
      errorCode(cause) === undefined
        ? new StorageError('UNAVAILABLE', `The ${backend.name} backend failed.`, { cause })
        : (cause as Error);
    return { healthy: false, latencyMs: performance.now() - startedAt, error };
  } finally {
    clearTimeout(timer);
  }
}
