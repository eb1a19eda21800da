import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend } from '@recap/storage';
import { smallDisk } from '../faults/rig/small-disk';

jest.setTimeout(60_000);

const at = (key: string) => ({ partition: 'p', key });
const parent = mkdtempSync(join(tmpdir(), 'recap-disk-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

it('a full disk refuses writes as CAPACITY_EXCEEDED, keeps what was answered, and goes on once there is room', async () => {
  const disk = smallDisk(parent);
  if (disk.kind !== 'tmpfs') {
    console.warn('SKIPPED: a full disk, since no file system of 16 MiB can be mounted here.');
    return;
  }
  const open = async () => {
    const backend = createFileBackend({ path: join(disk.folder, 'items'), sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  };
  const backend = await open();
  const value = 'x'.repeat(100_000);
  const answered: string[] = [];
  disk.fill(undefined, 4 * 2 ** 20);
  for (let count = 0; ; count += 1) {
    try {
      await backend.set(at(`key ${count}`), value + String(count));
      answered.push(`key ${count}`);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CAPACITY_EXCEEDED' });
      break;
    }
  }
  expect(answered.length).toBeGreaterThan(5);
  const expectAll = async (from: typeof backend): Promise<void> => {
    for (const key of answered) expect((await from.get(at(key)))?.value).toBe(value + key.slice(4));
    expect(await from.get(at(`key ${answered.length}`))).toBeUndefined();
  };
  await expectAll(backend);
  // What cannot reach its file stays in the journal.
  await backend.close();
  disk.free(undefined);
  const again = await open();
  await expectAll(again);
  await again.set(at('more'), value);
  await again.close();
  const last = await open();
  await expectAll(last);
  expect((await last.get(at('more')))?.value).toBe(value);
  await last.close();
});
