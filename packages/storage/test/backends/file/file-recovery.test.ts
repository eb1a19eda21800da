import { createFileBackend, type FileBackendOptions } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { SimulatedFiles } from './simulated-files';

const at = (key: string) => ({ partition: 'p', key });
const L = at('l');
const WHOLE = { keepsNames: true, keepsContent: true };
const LIST_FILE = '/data/values/000/p@l.jsonl';

let damages: FileDamage[] = [];
beforeEach(() => {
  damages = [];
});

async function open(files: SimulatedFiles, options: Partial<FileBackendOptions> = {}) {
  const backend = createFileBackend({
    ...{ path: '/data', fileSystem: files, shardCount: 1, sweepIntervalMs: 0, ...options },
    onDamage: (damage) => damages.push(damage),
  });
  await backend.open();
  return backend;
}

/** The disk as it is now, with none who has the folder. */
function killed(files: SimulatedFiles): SimulatedFiles {
  const left = files.afterCut(WHOLE);
  for (const path of left.files().keys()) if (path.includes('/lock/')) left.unlinkNow(path);
  return left;
}

function only(files: SimulatedFiles, part: string): Map<string, Buffer> {
  return new Map([...files.files()].filter(([path]) => path.includes(part)));
}

describe('a list whose file a crash left with a torn end', () => {
  it('is whole, wherever it was torn, as long as the journal has what was written', async () => {
    const files = new SimulatedFiles();
    const first = await open(files);
    await first.append(L, ['a', 'b']);
    await first.close();
    const second = await open(files);
    for (const value of ['c', 'd']) await second.append(L, [value]);
    const journal = only(killed(files), '/journal/');
    await second.close();
    const bytes = files.files().get(LIST_FILE)!;
    const endsAt = bytes.subarray(0, -1).lastIndexOf('\n') + 1;
    for (const length of [bytes.length - 3, endsAt, endsAt - 1, endsAt - 20]) {
      const torn = killed(files);
      for (const [path, lines] of journal) torn.damage(path, lines);
      torn.damage(LIST_FILE, Buffer.from(bytes.subarray(0, length)));
      // What it found is what the next start finds.
      for (let start = 0; start < 2; start += 1) {
        const next = await open(torn);
        expect(await next.range(L)).toEqual(['a', 'b', 'c', 'd']);
        await next.close();
      }
      expect(torn.files().get(LIST_FILE)).toEqual(bytes);
    }
    expect(damages).toEqual([]);
  });

  it('is the new list where the journal deletes it and begins another', async () => {
    const files = new SimulatedFiles();
    const first = await open(files);
    await first.append(L, ['a', 'b']);
    await first.close();
    const second = await open(files);
    await second.delete(L);
    await second.append(L, ['new']);
    const torn = killed(files);
    await second.close();
    const bytes = torn.files().get(LIST_FILE)!;
    torn.damage(LIST_FILE, Buffer.from(bytes.subarray(0, -3)));
    const next = await open(torn);
    expect(await next.range(L)).toEqual(['new']);
    await next.close();
    expect(damages).toEqual([]);
  });

  it('keeps what is sound of it where every backup has less', async () => {
    const files = new SimulatedFiles();
    const numbers = [...Array(700).keys()];
    const first = await open(files);
    await first.append(L, [0]);
    await first.close();
    const second = await open(files);
    await second.batch(numbers.slice(1).map((count) => ({ type: 'append', ...L, values: [count] })));
    await second.close();
    const third = await open(files);
    for (const values of [[700], [701]]) await third.append(L, values);
    await third.close();
    const last = await open(files);
    await last.append(L, [702]);
    await last.close();
    expect(only(files, '/backups/').size).toBeGreaterThan(0);
    const bytes = files.files().get(LIST_FILE)!;
    files.damage(LIST_FILE, Buffer.from(bytes.subarray(0, -3)));
    for (let start = 0; start < 2; start += 1) {
      const next = await open(files);
      expect(await next.range(L)).toEqual([...Array(703).keys()]);
      await next.close();
      expect(damages).toMatchObject([{ key: 'l', restoredFrom: 'values/000/p@l.jsonl' }]);
    }
  });
});

describe('a value that was deleted', () => {
  it.each(['value', 'list'])(
    'does not come back as a backup, where it was a %s and a crash interrupted its removal',
    async (kind) => {
      const files = new SimulatedFiles();
      const K = at('k');
      const first = await open(files);
      await first.set(K, 'secret 1');
      await first.close();
      const second = await open(files);
      if (kind === 'list') await second.delete(K);
      if (kind === 'list') await second.append(K, ['secret 2']);
      else await second.set(K, 'secret 2');
      await second.close();
      const third = await open(files);
      await third.set(K, 'secret 3');
      await third.close();
      const fourth = await open(files);
      await fourth.delete(K);
      const crashed = killed(files);
      await fourth.close();
      expect(only(crashed, '/backups/').size).toBeGreaterThan(0);
      for (const path of only(crashed, '/values/').keys()) crashed.unlinkNow(path);
      const next = await open(crashed);
      expect(await next.get(K)).toBeUndefined();
      await next.close();
      expect([...only(crashed, '/backups/').keys()]).toEqual([]);
    },
  );
});
