import { MemoryDriver } from '../../src/backends/memory/memory-driver';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { createBackend } from '../../src/create-backend';
import { aroundBackend, type Around } from '../../src/resilience/around-backend';
import { aroundDriver } from '../../src/resilience/around-driver';
import { callPolicy } from '../../src/resilience/call-policy';
import { describeBackend } from '../../src/testing';

const policy = (): Around =>
  callPolicy({
    ...{ name: 'memory', budgetMs: 5_000, attemptTimeoutMs: 5_000 },
    retry: { retries: 3, initialDelayMs: 100, maxDelayMs: 1_000 },
    circuitBreaker: { failures: 5, resetAfterMs: 5_000 },
  });

describeBackend('memory behind retries, time-outs and a circuit breaker', async (clock) => {
  const inner = createMemoryBackend({ clock, sweepIntervalMs: 0 });
  const backend = aroundBackend(inner, policy(), { runsLater: true });
  await backend.open();
  return backend;
});

describeBackend('memory whose driver is behind them', async (clock) => {
  const limits = {
    maxItems: 1_000_000,
    maxBytes: 2 ** 28,
    maxValueBytes: 2 ** 24,
    whenFull: 'refuse',
  } as const;
  const driver = aroundDriver(new MemoryDriver(limits), policy(), clock);
  const backend = createBackend(driver, { clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
});
