import { aroundBackend, type Operation } from '../src/resilience/around-backend';
import type { Backend } from '../src/backend';
import { StorageError } from '../src/errors';

/** What goes wrong with a backend, on command. */
export interface Faults {
  /** Every operation rejects `UNAVAILABLE`, as with a server that is gone. */
  isDown: boolean;
  /** The next operations fail with these, in their order. */
  readonly next: Error[];
  /** The next operations are done, and fail then: the answer got lost. */
  readonly lostAnswers: Error[];
  /** It can be reached, and is not healthy. */
  illness?: Error | undefined;
  /** Operations never answer. */
  isSilent: boolean;
  /** Names of the operations that came here. */
  readonly calls: Operation['method'][];
  /** Called before each operation. */
  before?: ((method: Operation['method']) => void | Promise<void>) | undefined;
}

export const unavailable = (code?: string): StorageError =>
  new StorageError('UNAVAILABLE', 'The server is gone.', {
    cause: code === undefined ? undefined : Object.assign(new Error(code), { code }),
  });

export function faultyBackend(inner: Backend): { readonly backend: Backend; readonly faults: Faults } {
  const faults: Faults = { isDown: false, next: [], lostAnswers: [], isSilent: false, calls: [] };
  const backend = aroundBackend(inner, async ({ method }, run) => {
    faults.calls.push(method);
    await faults.before?.(method);
    if (faults.isSilent) await new Promise<never>(() => undefined);
    const failure = faults.isDown ? unavailable('ECONNREFUSED') : faults.next.shift();
    if (failure !== undefined) throw failure;
    const answer = await run();
    const lost = faults.lostAnswers.shift();
    if (lost !== undefined) throw lost;
    return answer;
  });
  return {
    faults,
    backend: {
      ...backend,
      health: async (deadlineMs) => {
        const error = faults.isDown ? unavailable('ECONNREFUSED') : faults.illness;
        return error === undefined ? inner.health(deadlineMs) : { healthy: false, latencyMs: 0, error };
      },
    },
  };
}
