import { createMemoryBackend } from '@recap/storage';
import { describeOn } from './describe-on';

describeOn({
  name: 'memory',
  open: async (clock) => {
    const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  },
  server: async () => `Node ${process.versions.node}`,
});
