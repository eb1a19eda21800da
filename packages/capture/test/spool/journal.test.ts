import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Payload } from '../../src/recorder/spooled-entry';
import { crc32c } from '../../src/spool/crc32c';
import { Journal } from '../../src/spool/journal';
import type { RecordPlace } from '../../src/spool/segment';
import { PowerCutFiles, type Cut } from './power-cut-files';

const FOLDER = '/spool/own';
const SEGMENT_BYTES = 200;

function openJournal(files: PowerCutFiles, segmentBytes = SEGMENT_BYTES) {
  const failures: unknown[] = [];
  const journal = new Journal({
    files,
    folder: FOLDER,
    reserve: () => undefined,
    onFailure: (error) => failures.push(error),
    segmentBytes,
  });
  return { journal, failures };
}

const payload = (name: string): Buffer => Buffer.from(`${name}:${'.'.repeat(name.length * 3)}`);

function append(journal: Journal, bytes: Buffer): RecordPlace {
  const [place] = appendAll(journal, [bytes]);
  if (place === undefined) throw new Error('It is told of nothing.');
  return place;
}

function appendAll(journal: Journal, payloads: readonly Buffer[]): RecordPlace[] {
  const places: RecordPlace[] = [];
  journal.append(payloads.map(payloadFor), (place) => places.push(place));
  return places;
}

function payloadFor(bytes: Buffer): Payload {
  return { maxBytes: bytes.length, writeTo: (target, start) => start + bytes.copy(target, start) };
}

async function readAll(journal: Journal): Promise<string[]> {
  const found: string[] = [];
  for (const place of journal.takeDeferred(1_000, 1e9)) {
    const bytes = await journal.read(place);
    if (bytes !== undefined) found.push(bytes.toString());
  }
  return found;
}

async function recover(files: PowerCutFiles): Promise<{ found: string[]; journal: Journal }> {
  const { journal } = openJournal(files);
  await journal.load();
  return { found: await readAll(journal), journal };
}

/** Appends, syncs and finishes records until the power goes. */
async function work(files: PowerCutFiles) {
  const { journal } = openJournal(files);
  const appended: string[] = [];
  const done: string[] = [];
  let promised: string[] = [];
  const places: RecordPlace[] = [];
  try {
    for (let index = 1; index <= 16; index += 1) {
      // Each fourth time two at once.
      const payloads = [payload(`record ${index}`), payload(`beside ${index}`)].slice(
        0,
        index % 4 === 0 ? 2 : 1,
      );
      appended.push(...payloads.map(String));
      places.push(...appendAll(journal, payloads));
      if (index % 3 === 0) {
        await journal.sync();
        promised = [...appended];
      }
      if (index % 5 === 0) {
        done.push(...appended.slice(index - 5, index - 2));
        journal.done(places.slice(index - 5, index - 2));
      }
    }
    await journal.sync();
    promised = [...appended];
  } catch {
    // The power is gone.
  }
  return { appended, promised: promised.filter((each) => !done.includes(each)) };
}

/** The same, while one of the first records is not done for long. */
async function workBehindOne(files: PowerCutFiles) {
  const { journal } = openJournal(files);
  const appended: string[] = [];
  let promised: string[] = [];
  try {
    const first = payload('first');
    appended.push(first.toString());
    append(journal, first);
    await journal.sync();
    promised = [first.toString()];
    for (let index = 1; index <= 24; index += 1) {
      const bytes = payload(`record ${index}`);
      appended.push(bytes.toString());
      journal.done([append(journal, bytes)]);
      if (index % 4 === 0) await settle(journal);
    }
  } catch {
    // The power is gone.
  }
  return { appended, promised };
}

/** Lets come to its end what the journal does aside. */
async function settle(journal: Journal): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await journal.sync();
    await nextTurn();
  }
}

describe('Journal', () => {
  it.each([
    ['', work],
    [', while one is not done for long', workBehindOne],
  ])(
    'has every record that was synced, no torn one and none twice, wherever the power was cut%s',
    async (_when, work) => {
      const whole = new PowerCutFiles();
      await work(whole);
      let cuts = 0;
      for (let call = 1; call <= whole.calls + 1; call += 1) {
        const files = new PowerCutFiles(call);
        const { appended, promised } = await work(files);
        for (let tornAt = 0; tornAt <= files.unsyncedBytes; tornAt += 1) {
          for (const hasLength of [false, true]) {
            const { found } = await recover(files.afterCut({ tornAt, hasLength } satisfies Cut));
            cuts += 1;
            if (new Set(found).size !== found.length) throw new Error(`twice: call ${call}, byte ${tornAt}`);
            expect(promised.filter((each) => !found.includes(each))).toEqual([]);
            expect(found.filter((each) => !appended.includes(each))).toEqual([]);
          }
        }
      }
      expect(cuts).toBeGreaterThan(2_000);
    },
  );

  it('passes over what is damaged and finds every record beside it', async () => {
    const names = Array.from({ length: 12 }, (_each, index) => `record ${index}`);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 40 }), fc.nat(255), async (at, length, value) => {
        const files = new PowerCutFiles();
        const { journal } = openJournal(files, 100_000);
        const places = names.map((name) => append(journal, payload(name)));
        await journal.sync();
        const [path = ''] = files.paths;
        let from = 0;
        let changed = false;
        files.damage(path, (bytes) => {
          from = 28 + (at % (bytes.length - 28));
          const before = Buffer.from(bytes);
          bytes.fill(value, from, Math.min(bytes.length, from + length));
          changed = !before.equals(bytes);
        });
        const { found, journal: next } = await recover(files);
        const untouched = names.filter((_name, index) => {
          const { offset = 0, length: size = 0 } = places[index] ?? {};
          return offset + size <= from || offset >= from + length;
        });
        expect(found).toEqual(expect.arrayContaining(untouched.map((name) => payload(name).toString())));
        expect(names.map((name) => payload(name).toString())).toEqual(expect.arrayContaining(found));
        expect(next.corrupt > 0).toBe(changed);
      }),
      { numRuns: 300 },
    );
  });

  it('reads what is whole behind a damaged header', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files);
    append(journal, payload('a'));
    files.damage(files.paths[0] ?? '', (bytes) => bytes.fill(0, 0, 28));
    const { found, journal: next } = await recover(files);
    expect(found).toEqual([payload('a').toString()]);
    expect(next.corrupt).toBe(1);
  });

  it('leaves to another version what has its form', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files);
    append(journal, payload('a'));
    const [path = ''] = files.paths;
    files.damage(path, (bytes) => {
      bytes.writeUInt32LE(2, 8);
      bytes.writeUInt32LE(crc32c(bytes, 0, 24), 24);
    });
    const before = await files.readAll(path);
    const { journal: next } = openJournal(files);
    await expect(next.load()).rejects.toThrow('the number 2, and this one reads 1');
    expect([files.paths, await files.readAll(path)]).toEqual([[path], before]);
  });

  it('gives the thread back while it reads a large file', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 100_000);
    for (let count = 0; count < 100; count += 1) append(journal, payload('a'));
    // One that moves by a millisecond whenever it is looked at.
    let passedMs = 0;
    const now = jest.spyOn(performance, 'now').mockImplementation(() => (passedMs += 1));
    let turns = 0;
    let isLoaded = false;
    const count = (): void => {
      turns += 1;
      if (!isLoaded) setImmediate(count);
    };
    setImmediate(count);
    const { journal: next } = openJournal(files);
    await next.load();
    isLoaded = true;
    now.mockRestore();
    expect(next.pending).toBe(100);
    expect(turns).toBeGreaterThan(15);
  });

  it('does not take a record for one that a client put into its body', async () => {
    const other = new PowerCutFiles();
    append(openJournal(other).journal, payload('forged'));
    const forged = await other.readAll(other.paths[0] ?? '');
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 100_000);
    const { offset } = append(journal, Buffer.concat([Buffer.from('body '), forged]));
    append(journal, payload('real'));
    files.damage(files.paths[0] ?? '', (bytes) => bytes.fill(0xff, offset + 12, offset + 16));
    expect((await recover(files)).found).toEqual([payload('real').toString()]);
  });

  it('writes with one call what goes into a file together, and gives each back by itself', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 1_000);
    append(journal, payload('first'));
    const before = files.calls;
    const names = ['a', 'bb', 'ccc'];
    const held: Buffer[] = [];
    journal.append(
      names.map((name) => payloadFor(payload(name))),
      (_place, bytes) => held.push(bytes),
    );
    expect(files.calls - before).toBe(1);
    append(journal, payload('later'));
    expect(held.map(String)).toEqual(names.map((name) => payload(name).toString()));
    const { found } = await recover(files);
    expect(found).toEqual(['first', ...names, 'later'].map((name) => payload(name).toString()));
  });

  it('begins another file for what does not go into one, and tells which were written before a failure', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 200);
    const names = Array.from({ length: 12 }, (_each, index) => `record ${index}`);
    const places = appendAll(journal, names.map(payload));
    expect(new Set(places.map(({ segment }) => segment)).size).toBeGreaterThan(2);
    const written: string[] = [];
    files.failing = { from: files.calls + 5, count: 100, code: 'EIO' };
    expect(() => {
      journal.append(
        names.map((name) => payloadFor(payload(`again ${name}`))),
        (_place, bytes) => written.push(bytes.toString()),
      );
    }).toThrow(expect.objectContaining({ code: 'EIO' }));
    files.failing = undefined;
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(names.length);
    expect(journal.pending).toBe(names.length + written.length);
    append(journal, payload('after'));
    const { found } = await recover(files);
    expect(found).toEqual([
      ...names.map((name) => payload(name).toString()),
      ...written,
      payload('after').toString(),
    ]);
  });

  it('does not give back what is done', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files);
    const places = Array.from({ length: 9 }, (_each, index) => append(journal, payload(String(index))));
    journal.done(places.filter((_place, index) => index % 2 === 0));
    expect(journal.pending).toBe(4);
    const { found, journal: next } = await recover(files);
    expect(found).toEqual(['1', '3', '5', '7'].map((name) => payload(name).toString()));
    expect(next.pending).toBe(4);
  });

  it('removes files once all in them and in older ones is done', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files);
    const places = Array.from({ length: 40 }, (_each, index) => append(journal, payload(String(index))));
    expect(files.paths.length).toBeGreaterThan(3);
    // Too much of the first to be moved.
    journal.done(places.slice(4));
    await settle(journal);
    expect(files.paths.length).toBeGreaterThan(3);
    journal.done(places.slice(0, 4));
    await journal.sync();
    expect(files.paths.length).toBeLessThanOrEqual(2);
    await expect(journal.close()).resolves.toBe(false);
    expect(files.paths).toEqual([]);
  });

  // One client that read a long answer slowly had every file kept until the spool was full, and then nothing spooled any more.
  it('moves the little that is left of a file for long, and removes the file', async () => {
    const files = new PowerCutFiles();
    const { journal, failures } = openJournal(files);
    const held = append(journal, payload('held'));
    for (let count = 0; count < 100; count += 1) {
      journal.done([append(journal, payload('passing'))]);
      if (count % 10 === 0) await settle(journal);
    }
    await settle(journal);
    expect(files.paths.length).toBeLessThanOrEqual(5);
    expect(journal.pending).toBe(1);
    const left = await recover(files.afterCut({ tornAt: 0, hasLength: false }));
    expect(left.found).toEqual([payload('held').toString()]);
    expect((await journal.read(held))?.toString()).toBe(payload('held').toString());
    journal.done([held]);
    await settle(journal);
    expect((await recover(files)).found).toEqual([]);
    await expect(journal.close()).resolves.toBe(false);
    expect([files.paths, failures]).toEqual([[], []]);
  });

  // After an outage the spool was full, moving needed room, and so one client that reads slowly kept it full.
  it('moves what is left of a file also where there is room for nothing else', async () => {
    const files = new PowerCutFiles();
    let isFull = false;
    const failures: unknown[] = [];
    const journal = new Journal({
      files,
      folder: FOLDER,
      reserve: () => {
        if (isFull) throw new Error('full');
      },
      onFailure: (error) => failures.push(error),
      segmentBytes: SEGMENT_BYTES,
    });
    const held = append(journal, payload('held'));
    const others = Array.from({ length: 40 }, () => append(journal, payload('other')));
    const before = files.paths.length;
    expect(before).toBeGreaterThan(5);
    isFull = true;
    expect(() => Array.from({ length: 9 }, () => others.push(append(journal, payload('more'))))).toThrow(
      'full',
    );
    journal.done(others.slice(0, 1));
    journal.done(others.slice(1));
    await settle(journal);
    expect(files.paths.length).toBeLessThanOrEqual(2);
    expect((await journal.read(held))?.toString()).toBe(payload('held').toString());
    expect((await recover(files.afterCut({ tornAt: 0, hasLength: false }))).found).toEqual([
      payload('held').toString(),
    ]);
  });

  it('removes a file of which some could be moved and the rest was done later', async () => {
    const files = new PowerCutFiles();
    const { journal, failures } = openJournal(files, 800);
    const held = [append(journal, payload('a')), append(journal, payload('b'))];
    files.damage(files.paths[0] ?? '', (bytes) =>
      bytes.fill(0xff, (held[1]?.offset ?? 0) + 17, (held[1]?.offset ?? 0) + 18),
    );
    while (files.paths.length < 6) journal.done([append(journal, payload('passing'))]);
    await settle(journal);
    expect(failures).toMatchObject([{ code: 'CORRUPT' }]);
    expect(files.paths.length).toBeGreaterThan(4);
    journal.done(held.slice(1));
    await settle(journal);
    expect(files.paths.length).toBeLessThanOrEqual(2);
    expect((await recover(files.afterCut({ tornAt: 0, hasLength: false }))).found).toEqual([
      payload('a').toString(),
    ]);
  });

  it('tells once that it cannot move what is damaged', async () => {
    const files = new PowerCutFiles();
    const { journal, failures } = openJournal(files);
    const held = append(journal, payload('held'));
    files.damage(files.paths[0] ?? '', (bytes) => bytes.fill(0xff, held.offset + 17));
    for (let count = 0; count < 33; count += 1) journal.done([append(journal, payload('passing'))]);
    const before = files.paths.length;
    await settle(journal);
    journal.done([append(journal, payload('x'))]);
    await settle(journal);
    expect(files.paths).toHaveLength(before);
    expect(failures).toMatchObject([{ code: 'CORRUPT' }]);
  });

  it.each(['sync', 'syncFolder'])('syncs again what could not be synced: %s failed', async (call) => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 60);
    // A file for each.
    for (const name of ['one', 'two']) append(journal, payload(name));
    files.failing = { from: files.calls + (call === 'sync' ? 1 : 2), count: 1, code: 'EIO' };
    await expect(journal.sync()).rejects.toMatchObject({ code: 'EIO' });
    expect(files.failed).toEqual([call]);
    const second = payload('two').toString();
    const cut: Cut = { tornAt: 0, hasLength: false };
    // One file's failure is not another's.
    expect((await recover(files.afterCut(cut))).found).toContain(second);
    await journal.sync();
    expect((await recover(files.afterCut(cut))).found).toEqual([payload('one').toString(), second]);
  });

  it('keeps what it has when the disk is full, and goes on in a new file when there is room again', async () => {
    const files = new PowerCutFiles();
    const { journal } = openJournal(files, 100_000);
    append(journal, payload('before'));
    files.room = 10;
    expect(() => append(journal, payload('lost'))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(journal.pending).toBe(1);
    files.room = Number.MAX_SAFE_INTEGER;
    append(journal, payload('after'));
    const { found, journal: next } = await recover(files);
    expect(found).toEqual([payload('before').toString(), payload('after').toString()]);
    expect(next.corrupt).toBe(0);
  });
});
