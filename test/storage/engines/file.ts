import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import type { Engine } from '../describe-on';

let folder = '';
const inFolder = async (clock: FakeClock) => {
  const backend = createFileBackend({ path: join(folder, 'items'), clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

export const file: Engine = {
  name: 'file',
  open: async (clock) => {
    await rm(folder, { recursive: true, force: true });
    folder = await mkdtemp(join(tmpdir(), 'recap-storage-'));
    return inFolder(clock);
  },
  another: inFolder,
  server: () => Promise.resolve(`Node ${process.version} on ${process.platform}`),
  end: () => rm(folder, { recursive: true, force: true }),
};
