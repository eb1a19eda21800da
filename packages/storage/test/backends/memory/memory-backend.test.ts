import { createMemoryBackend } from '../../../src';
import { describeBackend } from '../../../src/testing';

describeBackend('memory', async (clock) => {
  const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
});
