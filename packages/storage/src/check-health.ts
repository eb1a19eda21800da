import type { Backend, Health } from './backend';
import { MAX_TIMER_MS } from './check-options';
import { errorCode, StorageError } from './errors';

/** Hidden from `partitions`; a NUL keeps it apart from what people name theirs. */
const HEALTH_PARTITION = '\0recap-health';

export const isHealthPartition = (partition: string): boolean => partition === HEALTH_PARTITION;

const LEFTOVER_LIFETIME_MS = 60_000;

export interface HealthOptions {
  readonly deadlineMs: number | undefined;
  readonly now: () => number;
  readonly newId: () => string;
}

/** Why it is no deadline. A timer would take it for the shortest, and the backend would look ill. */
export function deadlineProblem(deadlineMs: unknown): StorageError | undefined {
  if (typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= MAX_TIMER_MS) return undefined;
  const text = `"deadlineMs" must be above 0 and at most ${MAX_TIMER_MS}; it is ${String(deadlineMs)}.`;
  return new StorageError('ARGUMENT_INVALID', text);
}

/** Writes, reads and deletes, under a key that no other check uses. */
export async function checkHealth(
  backend: Pick<Backend, 'name' | 'set' | 'get' | 'delete'>,
  { deadlineMs = 5_000, now, newId }: HealthOptions,
): Promise<Health> {
  const problem = deadlineProblem(deadlineMs);
  if (problem !== undefined) return { healthy: false, latencyMs: 0, error: problem };
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StorageError(
          'UNAVAILABLE',
          `The ${backend.name} backend did not answer within ${deadlineMs} ms.`,
        ),
      );
    }, deadlineMs);
  });
  try {
    await Promise.race([roundTrip(backend, newId(), now() + LEFTOVER_LIFETIME_MS), late]);
    return { healthy: true, latencyMs: performance.now() - startedAt };
  } catch (cause) {
    const error =
      errorCode(cause) === undefined ? new StorageError('UNAVAILABLE', String(cause)) : (cause as Error);
    return { healthy: false, latencyMs: performance.now() - startedAt, error };
  } finally {
    clearTimeout(timer);
  }
}

async function roundTrip(
  backend: Pick<Backend, 'name' | 'set' | 'get' | 'delete'>,
  key: string,
  expiresAt: number,
): Promise<void> {
  const address = { partition: HEALTH_PARTITION, key };
  await backend.set(address, { key }, { expiresAt });
  const found = await backend.get(address);
  const deleted = await backend.delete(address);
  if ((found?.value as { key?: unknown } | undefined)?.key === key && deleted) return;
  throw new StorageError('CORRUPT', `The ${backend.name} backend does not keep what it is given.`);
}
