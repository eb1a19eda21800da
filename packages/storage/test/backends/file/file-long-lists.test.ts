import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { SimulatedFiles } from './simulated-files';

const LIST = { partition: 'p', key: 'list' };

/** Counts what is read from files of lists. */
class CountedFiles extends SimulatedFiles {
  bytes = 0;

  override async open(path: string, flags: number) {
    const file = await super.open(path, flags);
    const read: typeof file.read = async (...call) => {
      const done = await file.read(...call);
      if (path.endsWith('.jsonl')) this.bytes += done.bytesRead;
      return done;
    };
    return { ...file, read };
  }
}

let damages: FileDamage[] = [];

async function open(files: SimulatedFiles) {
  damages = [];
  const backend = createFileBackend({
    ...{ path: '/data', fileSystem: files, shardCount: 1, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
  });
  await backend.open();
  return backend;
}

/** Of texts, so that the file has many parts. */
const element = (index: number): string => `${index} ${'x'.repeat(index % 97)}`;

describe('a long list in a file', () => {
  it('is read in parts, wherever they begin and end, while it grows and after a start', async () => {
    const files = new SimulatedFiles();
    const whole: string[] = [];
    let seed = 7;
    const pick = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let start = 0; start < 4; start += 1) {
      const backend = await open(files);
      const expectParts = async (): Promise<void> => {
        for (let count = 0; count < 20; count += 1) {
          const first = pick(whole.length + 5);
          const last = Math.min(first + pick(2) * pick(300) + pick(3), whole.length + 10);
          expect(await backend.range(LIST, first, last)).toEqual(whole.slice(first, last + 1));
          const fromEnd = 1 + pick(whole.length);
          expect(await backend.range(LIST, -fromEnd, -1)).toEqual(whole.slice(-fromEnd));
        }
        expect(await backend.range(LIST)).toEqual(whole);
      };
      if (start > 0) await expectParts();
      for (let append = 0; append < 200; append += 1) {
        const values = Array.from({ length: 1 + pick(40) }, (_, index) => element(whole.length + index));
        await backend.append(LIST, values);
        whole.push(...values);
      }
      await expectParts();
      await backend.close();
    }
    expect(damages).toEqual([]);
  });

  it('is not read as a whole for a part of it', async () => {
    const files = new CountedFiles();
    const backend = await open(files);
    for (let count = 0; count < 40; count += 1)
      await backend.append(
        LIST,
        Array.from({ length: 500 }, (_, index) => element(count * 500 + index)),
      );
    await backend.close();
    const path = [...files.files().keys()].find((each) => each.includes('/values/'))!;
    const size = files.files().get(path)!.length;
    expect(size).toBeGreaterThan(1_000_000);
    const next = await open(files);
    files.bytes = 0;
    expect(await next.range(LIST, -3, -1)).toEqual([19_997, 19_998, 19_999].map(element));
    expect(await next.range(LIST, 10_000, 10_001)).toEqual([10_000, 10_001].map(element));
    expect(files.bytes).toBeLessThan(400_000);
    // A list goes to and fro in parts: together not much more than once.
    files.bytes = 0;
    for (let first = 0; first < 20_000; first += 1_000) await next.range(LIST, first, first + 999);
    expect(files.bytes).toBeLessThan(5 * size);
    await next.close();
  });

  it('shows damage in the part that is read, and keeps what is before it', async () => {
    const files = new SimulatedFiles();
    const backend = await open(files);
    for (let count = 0; count < 40; count += 1)
      await backend.append(
        LIST,
        Array.from({ length: 500 }, (_, index) => element(count * 500 + index)),
      );
    await backend.close();
    const next = await open(files);
    const path = [...files.files().keys()].find((each) => each.includes('/values/'))!;
    const damaged = Buffer.from(files.files().get(path)!);
    damaged[damaged.length - 1_000]! ^= 1;
    files.damage(path, damaged);
    expect(await next.range(LIST, 0, 1)).toEqual([0, 1].map(element));
    expect(damages).toEqual([]);
    await expect(next.range(LIST, -1, -1)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(damages).toMatchObject([{ path: path.slice('/data/'.length) }]);
    await next.close();
  });
});
