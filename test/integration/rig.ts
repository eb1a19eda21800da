import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Recorder } from '@recap/capture';

/** A folder that is gone after the test file. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recap-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}

/** Resolves when every exchange is over and written; rejects when one does not end. */
export async function written(recorder: Recorder): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (recorder.stats().open > 0) {
    if (performance.now() > deadline) throw new Error('An exchange does not end.');
    await nextTurn();
  }
  await recorder.flush();
}

/** Every byte of the files in a folder: what somebody with the disk in hands can read. */
export async function bytesIn(folder: string): Promise<Buffer> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
}

export const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
