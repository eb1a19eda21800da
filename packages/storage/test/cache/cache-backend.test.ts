import { createCacheBackend, createMemoryBackend } from '../../src';
import { describeCache } from '../../src/testing';

describeCache('memory', async (clock) => {
  const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
  return async (keyPrefix) => createCacheBackend(backend, { keyPrefix, clock });
});
