import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { aroundBackend } from '../../src/resilience/around-backend';
import { callPolicy } from '../../src/resilience/call-policy';
import { describeBackend } from '../../src/testing';

describeBackend('memory behind retries, time-outs and a circuit breaker', async (clock) => {
  const around = callPolicy({
    ...{ name: 'memory', budgetMs: 5_000, attemptTimeoutMs: 5_000 },
    retry: { retries: 3, initialDelayMs: 100, maxDelayMs: 1_000 },
    circuitBreaker: { failures: 5, resetAfterMs: 5_000 },
  });
  const backend = aroundBackend(createMemoryBackend({ clock, sweepIntervalMs: 0 }), around);
  await backend.open();
  return backend;
});
