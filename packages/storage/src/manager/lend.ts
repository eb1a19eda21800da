import type { Backend } from '../backend';
import { identify, identityOf } from '../copy/storage-identity';
import { aroundBackend } from '../resilience/around-backend';

/** A backend for those who may use it, and not close it: their `close()` does nothing. */
export function lend(backend: Backend, newId?: () => string): Backend {
  const lent: Backend = {
    ...aroundBackend(backend, (_operation, run) => run(), newId === undefined ? {} : { newId }),
    close: async () => undefined,
  };
  identify(lent, identityOf(backend));
  return lent;
}
