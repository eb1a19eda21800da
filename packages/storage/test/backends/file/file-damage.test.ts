import type { Backend } from '../../../src/backend';
import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { errorCode } from '../../../src/errors';
import { SimulatedFiles } from './simulated-files';

jest.setTimeout(120_000);

const at = (key: string) => ({ partition: 'p', key });
const WHOLE = { keepsNames: true, keepsContent: true };

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Opened {
  readonly backend: Backend;
  readonly damages: FileDamage[];
}

async function open(files: SimulatedFiles, enableBackups: boolean): Promise<Opened> {
  const damages: FileDamage[] = [];
  const backend = createFileBackend({
    ...{ path: '/data', fileSystem: files, shardCount: 2, backupCount: 2, enableBackups, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
  });
  await backend.open();
  return { backend, damages };
}

const valueKeys = [...Array(4).keys()].map((index) => `key ${index}`).concat('long'.repeat(100), '\0', 'Ä');
const listKeys = ['list 1', 'list 2'];
const last = (key: string) => `second of ${key}`;
const first = (key: string) => ({ first: key });
const all = [1, 2, 3, 4];

/** Everything was written twice, and what was there before is in the backups. */
async function written(enableBackups: boolean): Promise<SimulatedFiles> {
  const files = new SimulatedFiles();
  for (const value of [first, last]) {
    const { backend } = await open(files, enableBackups);
    for (const key of valueKeys) await backend.set(at(key), value(key));
    for (const key of listKeys) {
      await backend.append(at(key), value === first ? [1, 2] : [3]);
      if (value === last) await backend.append(at(key), [4]);
    }
    await backend.close();
  }
  return files;
}

function mutate(bytes: Buffer, others: readonly Buffer[], pick: (below: number) => number): Buffer {
  switch (pick(5)) {
    case 0:
      return bytes.subarray(0, pick(bytes.length));
    case 1: {
      const flipped = Buffer.from(bytes);
      const place = pick(bytes.length);
      flipped[place]! ^= 1 << pick(8);
      return flipped;
    }
    case 2:
      return Buffer.alloc(bytes.length);
    case 3: {
      const zeroed = Buffer.from(bytes);
      const place = pick(bytes.length);
      return zeroed.fill(0, place, Math.min(bytes.length, place + 1 + pick(64)));
    }
    default:
      return others[pick(others.length)]!;
  }
}

async function read(backend: Backend, key: string): Promise<unknown> {
  try {
    return listKeys.includes(key) ? await backend.range(at(key)) : (await backend.get(at(key)))?.value;
  } catch (error) {
    return errorCode(error);
  }
}

const isValues = (path: string): boolean => path.startsWith('/data/values/');

describe('a damaged file', () => {
  it('is put aside when something else takes its place', async () => {
    const files = await written(true);
    const path = [...files.files().keys()].filter(isValues).find((each) => each.includes('0.json'))!;
    const edited = Buffer.from('{"value":"edited by hand"}');
    files.damage(path, edited);
    const { backend, damages } = await open(files, true);
    expect(await read(backend, 'key 0')).toEqual(first('key 0'));
    await backend.close();
    expect(damages).toHaveLength(1);
    const aside = [...files.files()].filter(([each]) => each.startsWith('/data/damaged/'));
    expect(aside.map(([, bytes]) => bytes)).toEqual([edited]);
  });

  it('keeps its place among the keys, which tell it from what is missing, until it is mended', async () => {
    const files = await written(false);
    const path = [...files.files().keys()].filter(isValues).find((each) => each.includes('0.json'))!;
    const { backend } = await open(files, false);
    const { items: keys } = await backend.keys('p');
    expect(keys).toContain('key 0');
    files.damage(path, Buffer.from('{"value":"edited by hand"}'));
    expect((await backend.keys('p')).items).toEqual(keys);
    await expect(backend.scan('p')).rejects.toMatchObject({ code: 'CORRUPT' });
    expect((await backend.keys('p')).items).toEqual(keys);
    expect(await backend.delete(at('key 0'))).toBe(true);
    expect((await backend.keys('p')).items).toEqual(keys.filter((key) => key !== 'key 0'));
    await backend.close();
  });

  it.each([
    // The backup has 4 elements, the list 104 in 101 lines.
    { line: 90, isBefore: false, kept: 92, from: 'values' },
    { line: 90, isBefore: true, kept: 92, from: 'values' },
    { line: 1, isBefore: false, kept: 4, from: 'backups' },
    { line: 1, isBefore: true, kept: 4, from: 'backups' },
    { line: 0, isBefore: false, kept: 4, from: 'backups' },
    { line: 102, isBefore: false, kept: 104, from: 'values' },
  ])(
    'of a list is restored from what has more of it, and what is lost is told: %j',
    async ({ line, isBefore, kept, from }) => {
      const files = new SimulatedFiles();
      const whole = Array.from({ length: 104 }, (_, index) => index);
      const begun = await open(files, true);
      await begun.backend.append(at('list'), whole.slice(0, 4));
      await begun.backend.close();
      const path = [...files.files().keys()].find(isValues)!;
      const backup = path.replace('/values/', '/backups/').replace('.jsonl', '.0.jsonl');
      files.damage(backup, files.files().get(path)!);
      const grown = await open(files, true);
      for (const element of whole.slice(4)) await grown.backend.append(at('list'), [element]);
      await grown.backend.close();
      const lines = files.files().get(path)!.toString('latin1').split('\n');
      expect(lines).toHaveLength(104);
      lines[line] = lines[line]!.replace(/.$/, '!');
      const damaged = Buffer.from(lines.join('\n'), 'latin1');
      if (isBefore) files.damage(path, damaged);
      const { backend, damages } = await open(files, true);
      if (!isBefore) files.damage(path, damaged);
      expect(await backend.range(at('list'))).toEqual(whole.slice(0, kept));
      expect(await backend.append(at('list'), ['next'])).toBe(kept + 1);
      await backend.close();
      // Of a file that does not even begin soundly, a start knows not how long the list was.
      const lost = isBefore && line === 1 ? {} : { lostElements: 104 - kept };
      const restoredFrom = (from === 'values' ? path : backup).slice('/data/'.length);
      expect(damages).toMatchObject([{ restoredFrom, keptElements: kept, ...lost }]);
      const next = await open(files, true);
      expect(await next.backend.range(at('list'))).toEqual([...whole.slice(0, kept), 'next']);
      await next.backend.close();
      expect(next.damages).toEqual([]);
    },
  );

  it.each([
    ['is restored or refused, and told', true],
    ['is refused without backups, and told', false],
  ])('%s, in 2,500 ways; all others are as they were', async (_title, enableBackups) => {
    const sound = await written(enableBackups);
    const pick = numbers(enableBackups ? 1 : 2);
    const paths = [...sound.files().keys()].filter(isValues).sort();
    expect(paths).toHaveLength(valueKeys.length + listKeys.length);
    // A file's own backup in its place is a sound file: whoever puts it there restores it.
    const contents = paths.map((path) => sound.files().get(path)!);
    let done = 0;
    while (done < 2_500) {
      const files = sound.afterCut(WHOLE);
      const path = paths[pick(paths.length)]!;
      const bytes = files.files().get(path)!;
      const damaged = mutate(bytes, contents, pick);
      if (damaged.equals(bytes)) continue;
      done += 1;
      // Before the start, or while it is open.
      const isBefore = pick(2) === 0;
      if (isBefore) files.damage(path, damaged);
      const { backend, damages } = await open(files, enableBackups);
      if (!isBefore) files.damage(path, damaged);
      const wrong: unknown[] = [];
      const hit: string[] = [];
      for (const key of [...valueKeys, ...listKeys]) {
        const isList = listKeys.includes(key);
        const found = JSON.stringify(await read(backend, key));
        if (found === JSON.stringify(isList ? all : last(key))) continue;
        hit.push(key);
        const older = isList ? undefined : JSON.stringify(first(key));
        const isRight = found === '"CORRUPT"' || (enableBackups && found === older);
        if (!isRight) wrong.push([key, found]);
      }
      await backend.close();
      expect({ wrong, hits: hit.length, damages: damages.map(({ path: told }) => `/data/${told}`) }).toEqual({
        ...{ wrong: [], hits: 1, damages: [path] },
      });
    }
  });

  it('of a process that was killed is told where it matters, in 500 ways, and nothing that never was is read', async () => {
    const files = new SimulatedFiles();
    const pick = numbers(3);
    const { backend } = await open(files, true);
    for (const value of [first, last]) for (const key of valueKeys) await backend.set(at(key), value(key));
    for (const element of all) for (const key of listKeys) await backend.append(at(key), [element]);
    const killed = files.afterCut(WHOLE);
    await backend.close();
    for (const path of killed.files().keys()) if (path.includes('/lock/')) killed.unlinkNow(path);
    const journal = [...killed.files().keys()].filter((path) => path.includes('/journal/'));
    for (let done = 0; done < 500; done += 1) {
      const damagedFiles = killed.afterCut(WHOLE);
      const path = journal[pick(journal.length)]!;
      const bytes = damagedFiles.files().get(path)!;
      const place = pick(bytes.length);
      const damaged = Buffer.from(bytes);
      damaged[place]! ^= 1 << pick(8);
      damagedFiles.damage(path, damaged);
      // What it found is what the next start finds.
      for (let start = 0; start < 2; start += 1) {
        const { backend: next, damages } = await open(damagedFiles, true);
        if (start === 0) expect(damages.length).toBeGreaterThan(0);
        for (const key of valueKeys) {
          const found = await read(next, key);
          expect([undefined, 'CORRUPT', last(key), first(key)]).toContainEqual(found);
        }
        for (const key of listKeys) {
          const found = await read(next, key);
          if (found !== 'CORRUPT') expect(all.slice(0, (found as number[]).length)).toEqual(found);
        }
        await next.close();
      }
    }
  });

  it('that describes the folder is written anew, and nothing is lost', async () => {
    const files = await written(true);
    files.damage('/data/recap.json', Buffer.from('{}'));
    for (const told of [['recap.json'], []]) {
      const { backend, damages } = await open(files, true);
      expect(damages.map(({ path }) => path)).toEqual(told);
      for (const key of valueKeys) expect(await read(backend, key)).toEqual(last(key));
      await backend.close();
    }
  });

  // It ended the process, or failed the opening.
  it.each<[string, () => void]>([
    ['is async and rejects', () => Promise.reject(new Error('My own mistake.'))],
    [
      'throws',
      () => {
        throw new Error('My own mistake.');
      },
    ],
  ])('is mended though onDamage %s', async (_, onDamage) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const files = await written(true);
    files.unlinkNow('/data/recap.json');
    const backend = createFileBackend({ path: '/data', fileSystem: files, sweepIntervalMs: 0, onDamage });
    await backend.open();
    for (const key of valueKeys) expect(await read(backend, key)).toEqual(last(key));
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('My own mistake.'), { type: 'RecapWarning' }],
    ]);
    warned.mockRestore();
    await backend.close();
  });

  it('that describes the folder and is gone is written anew, with as many folders as there are or are asked for', async () => {
    for (const shardCount of [undefined, 2, 5]) {
      const files = await written(true);
      files.unlinkNow('/data/recap.json');
      for (const told of [['recap.json is missing; it was written anew'], []]) {
        const damages: FileDamage[] = [];
        const backend = createFileBackend({
          ...{ path: '/data', fileSystem: files, backupCount: 2, sweepIntervalMs: 0 },
          ...(shardCount !== undefined && { shardCount }),
          onDamage: (damage) => damages.push(damage),
        });
        await backend.open();
        expect(damages.map(({ path, problem }) => `${path} ${problem}`)).toEqual(told);
        for (const key of valueKeys) expect(await read(backend, key)).toEqual(last(key));
        for (const key of listKeys) expect(await backend.range(at(key))).toEqual(all);
        await backend.close();
      }
    }
  });
});
