import { createMemoryBackend } from '@recap/storage';
import type { Engine } from '../describe-on';

export const memory: Engine = {
  name: 'memory',
  open: async (clock) => {
    const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  },
  server: async () => `Node ${process.versions.node}`,
};
