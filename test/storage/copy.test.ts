import { appendFileSync } from 'node:fs';
import { checkStorage, copyStorage, type Backend, type CopyProgress, type CopyResult } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import type { Engine } from './describe-on';
import { allEngines } from './engines/all-engines';
import { memory } from './engines/memory';
import { RECORDS, writeManyRecords } from './many-records';

const isLong = process.env['RECAP_LONG'] === '1';
const there = allEngines.filter(({ missing }) => missing === undefined);
const clock = new FakeClock();

jest.setTimeout(isLong ? 900_000 : 240_000);

let seed: Backend;
let digest: string;
beforeAll(async () => {
  seed = await memory.open(clock);
  await writeManyRecords(seed, clock.now());
  ({ digest } = await checkStorage(seed));
});
afterAll(async () => {
  await seed.close();
  for (const { end } of there) await end?.();
});

/** A copy that ends in the middle of its work, and another one that goes on from there. */
async function copyInTwo(from: Backend, to: Backend): Promise<CopyResult> {
  const abort = new AbortController();
  let last: CopyProgress | undefined;
  const onProgress = (progress: CopyProgress): void => {
    last = progress;
    if (progress.phase === 'copy' && progress.items > RECORDS / 3) abort.abort(new Error('cut'));
  };
  const first = copyStorage(from, to, { clock, onProgress, signal: abort.signal });
  await expect(first).rejects.toThrow('cut');
  expect(last?.phase).toBe('copy');
  return await copyStorage(from, to, { clock, resumeFrom: last!.token! });
}

const WHOLE = { values: 9_000, lists: 1_001, kept: 0, expired: 0, tooLarge: 0 };

describe('a copy', () => {
  for (const { name, missing } of allEngines.filter((engine) => engine.missing !== undefined))
    it.skip(`goes through ${name}: ${missing!}`, () => undefined);

  it(`of ${RECORDS} records through ${[...there, memory].map(({ name }) => name).join(', ')} is the same in the end`, async () => {
    let from = seed;
    for (const engine of [...there.slice(1), memory]) {
      const to = await engine.open(clock);
      const startedAt = performance.now();
      expect(await copyInTwo(from, to)).toMatchObject({ ...WHOLE, digest });
      note(`${from.name} → ${to.name}`, performance.now() - startedAt);
      if (from !== seed) await from.close();
      from = to;
    }
    await from.close();
  });

  if (isLong)
    describe.each(there)('from $name', (source: Engine) => {
      let from: Backend;
      beforeAll(async () => {
        from = await source.open(clock);
        await copyStorage(seed, from, { clock, verify: false });
      });
      afterAll(() => from.close());

      it.each(there.filter((target) => target !== source))('to $name is the same', async (target) => {
        const to = await target.open(clock);
        expect(await copyInTwo(from, to)).toMatchObject({ ...WHOLE, digest });
        await to.close();
      });
    });
});

/** For whoever wants to know how long it took. */
function note(pair: string, durationMs: number): void {
  const { RECAP_COPY_TIMES: file } = process.env;
  if (file !== undefined) appendFileSync(file, `${pair}: ${Math.round(durationMs)} ms\n`);
}
