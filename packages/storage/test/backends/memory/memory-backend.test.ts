import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createMemoryBackend,
  type Backend,
  type MemoryBackendOptions,
  type Page,
  type ValueItem,
} from '../../../src';
import { FakeClock } from '../../../src/testing';

const at = (key: string) => ({ partition: 'p', key });
const MIB = 2 ** 20;
const FULL = { code: 'CAPACITY_EXCEEDED' };

describe('createMemoryBackend', () => {
  const clock = new FakeClock();
  let opened: Backend[] = [];
  const open = async (options: MemoryBackendOptions): Promise<Backend> => {
    const backend = createMemoryBackend({ clock, sweepIntervalMs: 0, ...options });
    await backend.open();
    opened.push(backend);
    return backend;
  };
  afterEach(async () => {
    for (const backend of opened) await backend.close();
    opened = [];
  });
  const keys = async (backend: Backend) => (await backend.scan('p')).items.map(({ key }) => key);

  it('refuses one item more than it may hold, and keeps those that it has', async () => {
    const backend = await open({ maxItems: 2 });
    await backend.set(at('a'), 1);
    await backend.append(at('b'), [1]);
    await expect(backend.set(at('c'), 1)).rejects.toMatchObject(FULL);
    await expect(backend.append(at('c'), [1])).rejects.toMatchObject(FULL);
    await backend.set(at('a'), 2);
    await backend.append(at('b'), [2]);
    expect(await keys(backend)).toEqual(['a', 'b']);
    await backend.delete(at('a'));
    await backend.set(at('c'), 1);
    expect(await keys(backend)).toEqual(['b', 'c']);
  });

  it('measures bytes of partitions, keys and values, and refuses one more than it may hold', async () => {
    const backend = await open({ maxBytes: 20 });
    await backend.set(at('a'), 'ää');
    expect((await backend.stats()).bytes).toBe(2 + 6);
    await backend.set(at('b'), new Uint8Array(10));
    expect((await backend.stats()).bytes).toBe(20);
    await expect(backend.set(at('a'), 'äää')).rejects.toMatchObject(FULL);
    expect((await backend.get(at('a')))?.value).toBe('ää');
    await backend.set(at('b'), new Uint8Array(2));
    await backend.append(at('l'), [1, 'x']);
    expect((await backend.stats()).bytes).toBe(8 + 4 + 2 + 1 + 3);
    await expect(backend.append(at('l'), ['xxx'])).rejects.toMatchObject(FULL);
    expect(await backend.length(at('l'))).toBe(2);
    await backend.delete(at('l'));
    await backend.delete(at('a'));
    await backend.delete(at('b'));
    expect(await backend.stats()).toEqual({ items: 0, bytes: 0, isCapped: false });
  });

  it('gives the room of what has expired to what comes', async () => {
    const backend = await open({ maxItems: 1 });
    await backend.set(at('a'), 1, { expiresAt: clock.now() + 1 });
    await expect(backend.set(at('b'), 1)).rejects.toMatchObject(FULL);
    clock.advance(1);
    await backend.set(at('b'), 1);
    expect(await keys(backend)).toEqual(['b']);
  });

  it('drops what was not used for longest when it may', async () => {
    const backend = await open({ maxItems: 3, whenFull: 'evict' });
    for (const key of ['a', 'b', 'c']) await backend.set(at(key), 1);
    await backend.get(at('a'));
    await backend.set(at('b'), 2);
    await backend.set(at('d'), 1);
    expect(await keys(backend)).toEqual(['a', 'b', 'd']);
    await backend.set(at('e'), 1);
    expect(await keys(backend)).toEqual(['b', 'd', 'e']);
  });

  it('counts a list as used when it is read or appended to', async () => {
    const backend = await open({ maxItems: 4, whenFull: 'evict' });
    for (const key of ['r', 'l', 'a']) await backend.append(at(key), [1]);
    await backend.set(at('old'), 1);
    await backend.range(at('r'));
    await backend.length(at('l'));
    await backend.append(at('a'), [2]);
    await backend.set(at('new'), 1);
    expect(await keys(backend)).toEqual(['a', 'l', 'new', 'r']);
    for (const key of ['s', 't', 'u']) await backend.set(at(key), 1);
    expect(await keys(backend)).toEqual(['new', 's', 't', 'u']);
  });

  it('holds no values of what it has dropped, whatever their lifetime', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const backend = await open({ maxBytes: 8 * MIB, whenFull: 'evict' });
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 300; n += 1)
      await backend.set(at(`k${n}`), new Uint8Array(MIB), { expiresAt: clock.now() + 1_000_000 });
    collect();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * MIB);
  });

  it('measures a long value a few times only, however many it takes the place of', async () => {
    const backend = await open({ maxBytes: MIB, whenFull: 'evict' });
    for (let n = 0; n < 500; n += 1) await backend.set(at(`k${n}`), 'x'.repeat(2_000));
    const measured = jest.spyOn(Buffer, 'byteLength');
    try {
      await backend.set(at('long'), 'ü'.repeat(MIB / 2 - 100));
      const ofTheLong = measured.mock.calls.filter(
        ([text]) => typeof text === 'string' && text.length > MIB / 4,
      );
      expect(ofTheLong.length).toBeLessThan(10);
    } finally {
      measured.mockRestore();
    }
    expect(await keys(backend)).toEqual(['long']);
  });

  it('drops nothing for what will never fit, and no list for its own element', async () => {
    const backend = await open({ maxBytes: 100, whenFull: 'evict' });
    await backend.append(at('l'), ['x'.repeat(60)]);
    await backend.set(at('a'), 1);
    await expect(backend.append(at('l'), ['x'.repeat(60)])).rejects.toMatchObject(FULL);
    expect(await keys(backend)).toEqual(['a', 'l']);
    await backend.delete(at('l'));
    await expect(backend.set(at('b'), 'x'.repeat(200))).rejects.toMatchObject(FULL);
    expect(await keys(backend)).toEqual(['a']);
    await backend.append(at('l'), ['x'.repeat(60)]);
    await expect(backend.append(at('l'), ['x'.repeat(60)])).rejects.toMatchObject(FULL);
    expect(await backend.length(at('l'))).toBe(1);
  });

  it('writes all of a transaction or nothing when it is full', async () => {
    const backend = await open({ maxItems: 2 });
    await backend.set(at('a'), 1);
    const set = (key: string) => ({ type: 'set', ...at(key), value: 2 }) as const;
    await expect(backend.transact([set('a'), set('b'), set('c')])).rejects.toMatchObject(FULL);
    expect((await backend.get(at('a')))?.value).toBe(1);
    await backend.transact([set('a'), set('b')]);
    expect(await keys(backend)).toEqual(['a', 'b']);
    await backend.transact([{ type: 'delete', ...at('a') }, set('c')]);
    expect(await keys(backend)).toEqual(['b', 'c']);
  });

  it('takes no more memory for an item that is written again and again with an expiry', async () => {
    const backend = await open({});
    for (let round = 0; round < 20_000; round += 1)
      await backend.set(at('a'), round, { expiresAt: clock.now() + 1_000_000 + round });
    clock.advance(1_000_000);
    expect((await backend.stats()).items).toBe(1);
    clock.advance(20_000);
    expect(await backend.sweep()).toBe(1);
    expect(await backend.sweep()).toBe(0);
  });

  it.each([
    { maxItems: 0 },
    { maxBytes: NaN },
    { maxValueBytes: 1.5 },
    { timeoutMs: 2 ** 31 },
    { sweepIntervalMs: -1 },
  ])('refuses %j', (options) => {
    const [name = ''] = Object.keys(options);
    expect(() => createMemoryBackend(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) }),
    );
  });

  it('looks for rare values among many in steps, and finds all', async () => {
    const backend = await open({});
    for (let from = 0; from < 5_000; from += 1_000)
      await backend.batch(
        Array.from({ length: 1_000 }, (_, index) => ({
          type: 'set',
          ...at(`k${String(from + index).padStart(4, '0')}`),
          value: { n: (from + index) % 2_500 },
        })),
      );
    const found: string[] = [];
    let pages = 0;
    for (let after: string | undefined = ''; after !== undefined; pages += 1) {
      const page: Page<ValueItem> = await backend.query('p', [{ path: ['n'], equals: 7 }], { after });
      found.push(...page.items.map(({ key }) => key));
      after = page.next;
    }
    expect(found).toEqual(['k0007', 'k2507']);
    expect(pages).toBeGreaterThan(1);
  });

  it('forgets everything at its end', async () => {
    const backend = await open({});
    await backend.set(at('a'), 1);
    await backend.close();
    await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
