import { StorageError } from '@recap/storage';

/** @throws {StorageError} `UNAVAILABLE` when `work` has not settled after `timeoutMs`. */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StorageError('UNAVAILABLE', `The store has not answered within ${timeoutMs} ms.`));
    }, timeoutMs);
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
