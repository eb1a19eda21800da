import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBackend, restoreStorage } from '@recap/storage';
import { LineSums } from '../../src/archive/archive-lines';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-forged-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const header = { recapArchive: 1, createdAt: '2026-01-01T00:00:00.000Z', source: 'memory' };
const head = { partition: 'p', key: 'k', version: 'v' };
const list = { ...head, from: 0, list: [{ json: 1 }], isLast: true };

/** Lines with the right sums. */
async function refusal(...lines: readonly (object | string)[]): Promise<unknown> {
  const sums = new LineSums();
  const texts = lines.map((line) => sums.write(typeof line === 'string' ? line : JSON.stringify(line)));
  const path = join(folder, 'forged.ndjson');
  await writeFile(path, texts.join(''));
  const target = createMemoryBackend();
  await target.open();
  const error: unknown = await restoreStorage(path, target).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect((await target.stats()).items).toBe(0);
  await target.close();
  return error;
}

const invalid = (line: number) => ({
  code: 'ARCHIVE_INVALID',
  message: expect.stringMatching(new RegExp(`line ${line}\\b`)) as string,
});

describe('an archive whose sums are right', () => {
  it.each<[string, object | string]>([
    ['is no JSON', '{"a":}'],
    ['is empty', '{}'],
    ['has no value', head],
    ['has a value that is no base64 text', { ...head, bytes: 5 }],
    ['has bytes that are no base64', { ...head, bytes: '*' }],
    ['has no partition', { key: 'k', version: 'v', json: 1 }],
    ['has an empty key', { ...head, key: '', json: 1 }],
    ['has a key of no Unicode', `{"partition":"p","key":"\\ud800","version":"v","json":1}`],
    ['has a partition that is too long', { ...head, partition: 'p'.repeat(1_025), json: 1 }],
    ['has no version', { partition: 'p', key: 'k', json: 1 }],
    ['has a version that is none', { ...head, version: 'a b', json: 1 }],
    ['expires at no instant', { ...head, json: 1, expiresAt: 'soon' }],
    ['has a list that is none', { ...list, list: 5 }],
    ['has a list of no values', { ...list, list: [null] }],
    ['has an empty list', { ...list, list: [] }],
    ['has a list that does not say whether it ends', { ...head, from: 0, list: [{ json: 1 }] }],
    ['has a list from nowhere', { ...list, from: -1 }],
    ['has a list whose beginning is missing', { ...list, from: 2 }],
  ])('is refused when a line %s, and names it', async (_what, line) => {
    expect(await refusal(header, line)).toMatchObject(invalid(2));
  });

  it('is refused when a list goes on elsewhere than it stopped, or after its end', async () => {
    const begun = { ...list, isLast: false };
    expect(await refusal(header, begun, { ...list, from: 2 })).toMatchObject(invalid(3));
    expect(await refusal(header, list, { ...list, from: 1 })).toMatchObject(invalid(3));
    expect(await refusal(header, begun, { ...list, key: 'l', from: 1 })).toMatchObject(invalid(3));
  });

  it('is refused when its first line says not who wrote it and when', async () => {
    expect(await refusal({ recapArchive: 1 })).toMatchObject(invalid(1));
    expect(await refusal({ ...header, source: 1 })).toMatchObject(invalid(1));
  });

  it('is refused when its last line says nothing', async () => {
    expect(await refusal(header, { end: true })).toMatchObject(invalid(2));
  });
});
