import { StorageError, type CachedDatabase, type WriteBehindOptions } from '../../src';
import { Rig } from './rig';

const down = new StorageError('UNAVAILABLE', 'The server is down.');
let rig: Rig;
let pauses: { delayMs: number; end: () => void }[];
let onPause: () => void;

beforeEach(() => {
  rig = new Rig();
  pauses = [];
  onPause = () => undefined;
});

const open = (writeBehind: WriteBehindOptions = {}): Promise<CachedDatabase> =>
  rig.open('write-behind', {
    writeBehind: {
      pause: (delayMs, calledOff) =>
        new Promise((resolve) => {
          calledOff.addEventListener('abort', () => resolve());
          pauses.push({ delayMs, end: resolve });
          onPause();
        }),
      ...writeBehind,
    },
  });

const paused = (): Promise<void> => new Promise((resolve) => (onPause = resolve));

/** Ends every pause at once. */
const impatient = (): void => {
  onPause = () => pauses.at(-1)?.end();
};

describe('write-behind', () => {
  it('acknowledges before the database has it, and is read back at once, by other instances too', async () => {
    const cached = await open();
    const slow = rig.database.hold('mset', 'before');
    await cached.set('a', { n: 1 });
    await slow.arrived;
    expect(await cached.get('a')).toEqual({ n: 1 });
    expect(await (await open()).get('a')).toEqual({ n: 1 });
    expect(await rig.database.proxy.get('a')).toBeUndefined();
    expect(cached.stats().queued).toBe(1);
    slow.release();
    await cached.flush();
    expect(await rig.database.proxy.get('a')).toEqual({ n: 1 });
    expect(cached.stats()).toMatchObject({ queued: 0, lost: 0 });
  });

  it('keeps what was given, not what becomes of it', async () => {
    const cached = await open();
    const value = { list: [1] };
    const setting = cached.set('a', value);
    value.list.push(2);
    await setting;
    ((await cached.get('a')) as typeof value).list.push(3);
    await cached.flush();
    expect(((await rig.database.proxy.get('a')) as typeof value).list).not.toContain(3);
    expect(((await cached.get('a')) as typeof value).list).not.toContain(3);
  });

  it('writes the newest of a key, and never an older one after it', async () => {
    const cached = await open();
    const slow = rig.database.hold('mset', 'before');
    await cached.set('a', 1);
    await slow.arrived;
    for (let value = 2; value <= 10; value += 1) await cached.set('a', value);
    await cached.delete('b');
    await cached.set('b', 'after a delete');
    slow.release();
    await cached.flush();
    expect(await rig.database.proxy.mget(['a', 'b'])).toEqual([10, 'after a delete']);
    expect(rig.database.count('mset')).toBe(2);
  });

  it('sends what was written together in few calls', async () => {
    const cached = await open();
    await Promise.all(Array.from({ length: 250 }, (_, index) => cached.set(`k${index}`, index)));
    await cached.flush();
    expect(rig.database.count('mset')).toBeLessThanOrEqual(4);
    expect((await cached.keys()).length).toBe(250);
  });

  it('refuses before acknowledging what the database could not take', async () => {
    const cached = await open();
    await expect(cached.set('a', undefined)).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(cached.set('', 1)).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(cached.set('a', 'x'.repeat(1_000_001))).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    expect(cached.stats()).toMatchObject({ queued: 0, lost: 0 });
  });

  it('tries again, with waits that grow, and tells of each failure', async () => {
    const cached = await open({ initialDelayMs: 100, maxDelayMs: 400 });
    jest.spyOn(Math, 'random').mockReturnValue(0.999);
    rig.database.fail(down, 'mset');
    await cached.set('a', 1);
    for (let index = 0; index < 5; index += 1) {
      await paused();
      const { end } = pauses.at(-1)!;
      if (index === 4) rig.database.fail(undefined, 'mset');
      end();
    }
    await cached.flush();
    jest.restoreAllMocks();
    expect(pauses.map(({ delayMs }) => Math.round(delayMs))).toEqual([100, 200, 400, 400, 400]);
    expect(rig.failures).toHaveLength(5);
    expect(rig.failures[0]).toMatchObject({
      operation: 'write-behind',
      keys: ['a'],
      isLost: false,
      error: down,
    });
    expect(await rig.database.proxy.get('a')).toBe(1);
  });

  it('holds writers up when the queue is full, in their order', async () => {
    const cached = await open({ maxQueued: 2 });
    const slow = rig.database.hold('mset', 'before');
    await cached.mset([
      ['a', 1],
      ['b', 1],
    ]);
    await slow.arrived;
    const order: string[] = [];
    const waiting = [
      cached.set('c', 'old').then(() => order.push('old')),
      cached.set('c', 'new').then(() => order.push('new')),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    expect([order, cached.stats().queued]).toEqual([[], 2]);
    slow.release();
    await Promise.all(waiting);
    await cached.flush();
    expect([order, await rig.database.proxy.get('c')]).toEqual([['old', 'new'], 'new']);
  });

  it('keeps the newest write of a key when an older one that was on its way has failed', async () => {
    const cached = await open();
    const slow = rig.database.hold('mset', 'before');
    await cached.set('a', 'older');
    await slow.arrived;
    await cached.set('a', 'newest');
    rig.database.fail(down, 'mset');
    slow.release();
    await paused();
    expect(await cached.get('a')).toBe('newest');
    rig.database.fail(undefined, 'mset');
    await cached.flush();
    expect(await rig.database.proxy.get('a')).toBe('newest');
  });

  it('lets nobody overtake a writer of the same key who waits for room', async () => {
    const writes: Promise<void>[] = [];
    const cached = await rig.open('write-behind', {
      writeBehind: {
        maxQueued: 1,
        pause: (_, calledOff) =>
          new Promise((resolve) => calledOff.addEventListener('abort', () => resolve())),
      },
      onError: () => {
        rig.database.fail(undefined, 'mset');
        writes.push(cached.set('a', 'last'));
      },
    });
    const slow = rig.database.hold('mset', 'before');
    await cached.set('a', 'first');
    await slow.arrived;
    writes.push(cached.set('a', 'second'));
    rig.database.fail(down, 'mset');
    slow.release();
    while (writes.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(writes);
    await cached.flush();
    expect(await rig.database.proxy.get('a')).toBe('last');
  });

  it('refuses writers when the queue is full and the database fails, and loses nothing', async () => {
    const cached = await open({ maxQueued: 2 });
    rig.database.fail(down, 'mset');
    await cached.set('a', 1);
    await cached.set('b', 1);
    await paused();
    await expect(cached.set('c', 1)).rejects.toMatchObject({ code: 'CAPACITY_EXCEEDED', cause: down });
    await expect(
      cached.mset([
        ['a', 2],
        ['d', 1],
      ]),
    ).rejects.toMatchObject({
      outcomes: [
        { key: 'a', status: 'written' },
        { key: 'd', status: 'failed', error: { code: 'CAPACITY_EXCEEDED' } },
      ],
    });
    rig.database.fail(undefined, 'mset');
    await cached.flush();
    expect(await cached.mget(['a', 'b', 'c', 'd'])).toEqual([2, 1, undefined, undefined]);
  });

  it('flushes before it is disconnected', async () => {
    const cached = await open();
    await cached.set('a', 1);
    await cached.delete('b');
    await cached.disconnect();
    expect(await rig.database.proxy.get('a')).toBe(1);
    await expect(cached.set('a', 2)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('says how many are lost when its database was disconnected before it', async () => {
    const cached = await rig.open('write-behind');
    await rig.database.proxy.disconnect();
    await cached.set('a', 1);
    await cached.set('b', 1);
    await expect(cached.disconnect()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^[12] acknowledged writes did not reach/),
    });
    expect(cached.stats()).toMatchObject({ lost: 2 });
  });

  it('says how many are lost when it is disconnected from a database that fails, and shows them to nobody', async () => {
    const cached = await open({ retries: 2 });
    impatient();
    await cached.set('a', 1);
    await cached.flush();
    rig.database.fail(down, 'mset', 'delete');
    await cached.set('a', 2);
    await cached.delete('b');
    await expect(cached.disconnect()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('2 acknowledged writes'),
    });
    expect(cached.stats().lost).toBe(2);
    expect(rig.failures.at(-1)).toMatchObject({ keys: ['a', 'b'], isLost: true });
    expect(await (await open()).get('a')).toBe(1);
  });

  it('gives a flush up after its attempts, and keeps what is queued', async () => {
    const cached = await open({ retries: 2 });
    impatient();
    rig.database.fail(down, 'mset');
    await cached.set('a', 1);
    await expect(cached.flush()).rejects.toBe(down);
    expect(cached.stats()).toMatchObject({ queued: 1, lost: 0 });
    rig.database.fail(undefined, 'mset');
    await cached.flush();
    expect(await rig.database.proxy.get('a')).toBe(1);
  });

  it('does not end a flush for what took the place of a write, before the database has that', async () => {
    const cached = await open({ retries: 1 });
    const slow = rig.database.hold('mset', 'before');
    rig.database.fail(down, 'mset');
    await cached.set('a', 1);
    await slow.arrived;
    const flushing = cached.flush();
    await cached.set('a', 2);
    impatient();
    slow.release();
    await expect(flushing).rejects.toBe(down);
    rig.database.fail(undefined, 'mset');
    const again = cached.flush();
    await cached.set('a', 3);
    await again;
    expect(await rig.database.proxy.get('a')).toBe(3);
  });

  it('flushes what took the place of a write behind many others', async () => {
    const cached = await open();
    await Promise.all(Array.from({ length: 250 }, (_, index) => cached.set(`k${index}`, 1)));
    const asking = cached.getLength('k249');
    await cached.set('k249', 2);
    await expect(asking).rejects.toMatchObject({ code: 'WRONG_TYPE' });
    expect(await rig.database.proxy.get('k249')).toBe(2);
  });

  it('does not try again what the database refuses, is loud about it, and takes it out of the cache', async () => {
    const cached = await open();
    await rig.database.proxy.set('a', 'before');
    const refused = new StorageError('REFUSED', 'A trigger says no.');
    rig.database.fail(refused, 'mset');
    await cached.set('a', 1);
    await cached.flush();
    expect(cached.stats()).toMatchObject({ queued: 0, lost: 1 });
    expect(rig.failures).toEqual([{ error: refused, operation: 'write-behind', keys: ['a'], isLost: true }]);
    expect(await cached.get('a')).toBe('before');
  });

  it('writes the others of a batch of which one is refused', async () => {
    const cached = await open();
    await rig.databaseBackend.open();
    const batch = jest
      .spyOn(rig.databaseBackend, 'batch')
      .mockImplementationOnce(async (writes) =>
        writes.map((_, index) =>
          index === 1
            ? { status: 'failed', error: new StorageError('REFUSED', 'No.') }
            : { status: 'failed', error: down },
        ),
      );
    impatient();
    await cached.mset([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    await cached.flush();
    batch.mockRestore();
    expect(await rig.database.proxy.mget(['a', 'b', 'c'])).toEqual([1, undefined, 1]);
    expect(cached.stats().lost).toBe(1);
  });

  it('brings a queued value to the database before it appends, lists or counts', async () => {
    const cached = await open();
    await cached.append('l', 1);
    await cached.delete('l');
    expect(await cached.append('l', 2)).toBe(1);
    await cached.set('v', 1);
    await expect(cached.append('v', 2)).rejects.toMatchObject({ code: 'WRONG_TYPE' });
    await cached.delete('l');
    expect([await cached.getLength('l'), await cached.getRange('l'), await cached.keys()]).toEqual([
      0,
      [],
      ['v'],
    ]);
    expect([await cached.delete('v'), await cached.delete('v'), await cached.exists('v')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('loses, when the process dies, what is queued and nothing else; others see it gone after ttlSeconds at most', async () => {
    const dying = await open();
    await dying.set('a', 'flushed');
    await dying.flush();
    rig.database.hold('mset', 'before');
    await dying.set('a', 'acknowledged, and queued');
    const survivor = await open();
    expect(await survivor.get('a')).toBe('acknowledged, and queued');
    rig.clock.advance(60_000);
    expect(await survivor.get('a')).toBe('flushed');
  });

  it('does not let a value go back that was cached before it was written, once another has read the older one', async () => {
    const cached = await open();
    await rig.database.proxy.set('a', 1);
    const slow = rig.database.hold('mset', 'before');
    await cached.set('a', 2);
    await slow.arrived;
    rig.clock.advance(60_000);
    const other = await open();
    expect(await other.get('a')).toBe(1);
    expect(await cached.get('a')).toBe(2);
    slow.release();
    await cached.flush();
    expect([await other.get('a'), await cached.get('a')]).toEqual([2, 2]);
  });
});
