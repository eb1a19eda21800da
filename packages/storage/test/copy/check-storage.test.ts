import {
  checkStorage,
  copyStorage,
  createMemoryBackend,
  StorageError,
  type Backend,
  type Item,
  type Page,
  type ScanOptions,
} from '@recap/storage';
import { createFaultyBackend } from '@recap/storage/testing';
import fc from 'fast-check';

async function memory(): Promise<Backend> {
  const backend = createMemoryBackend({ sweepIntervalMs: 0 });
  await backend.open();
  return backend;
}

const corrupt = (): StorageError => new StorageError('CORRUPT', 'It does not parse.');

/** A backend whose pages fail when they hold one of these keys, and whose list fails from an element on. */
function damaged(backend: Backend, keys: ReadonlySet<string>, badElement = Infinity): Backend {
  return new Proxy(backend, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      if (name === 'scan')
        return async (...given: Parameters<Backend['scan']>) => {
          const page = await target.scan(...given);
          if (page.items.some((item: Item) => keys.has(item.key))) throw corrupt();
          return page;
        };
      if (name === 'range')
        return async (...given: Parameters<Backend['range']>) => {
          const values = await target.range(...given);
          if ((given[1] ?? 0) + values.length > badElement) throw corrupt();
          return values;
        };
      return method.bind(target) as unknown;
    },
  });
}

describe('checkStorage', () => {
  it('counts what there is, with the digest of a copy', async () => {
    const [backend, target] = [await memory(), await memory()];
    await backend.set({ partition: 'app:p', key: 'a' }, { x: 1 });
    await backend.append({ partition: 'app:p', key: 'b' }, [1, 'two', new Uint8Array(3)]);
    await backend.set({ partition: 'other', key: 'c' }, 1);
    const { digest } = await copyStorage(backend, target, { fromPrefix: 'app:', toPrefix: 'x:' });
    const found = { values: 1, lists: 1, elements: 3, bytes: 7 + 1 + 5 + 3, damaged: 0, damage: [], digest };
    expect(await checkStorage(backend, { prefix: 'app:' })).toEqual(found);
    expect(await checkStorage(target, { prefix: 'x:' })).toEqual(found);
  });

  it('finds every key that cannot be read, and reads all others', async () => {
    const key = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { minLength: 1, maxLength: 30 }),
        fc.nat(4),
        async (keys, every) => {
          const backend = await memory();
          const bad = new Set(keys.filter((_, index) => index % 5 <= every));
          for (const name of keys) await backend.set({ partition: 'p', key: name }, 1);
          const result = await checkStorage(damaged(backend, bad));
          expect(new Set(result.damage.map((each) => each.key))).toEqual(bad);
          expect(result).toMatchObject({ values: keys.length - bad.size, damaged: bad.size });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('finds by few calls what cannot be read where the keys are told', async () => {
    const backend = await memory();
    const key = '\u{10FFFF}'.repeat(256);
    for (const name of ['before', key]) await backend.set({ partition: 'p', key: name }, 1);
    const counting = createFaultyBackend(damaged(backend, new Set([key])));
    const { damage } = await checkStorage(counting);
    expect(damage).toMatchObject([{ partition: 'p', key }]);
    expect(counting.calls.length).toBeLessThan(20);
  });

  it.each([
    ['are not told', () => Promise.reject(corrupt())],
    [
      'are told without those that cannot be read',
      async (page: Promise<Page<string>>, bad: ReadonlySet<string>) => {
        const { items, ...rest } = await page;
        return { ...rest, items: items.filter((name) => !bad.has(name)) };
      },
    ],
  ] as const)('finds what cannot be read where the keys %s', async (_, change) => {
    const backend = await memory();
    const names = ['a', 'b', 'c', 'd', 'e\0', 'f'];
    for (const key of names) await backend.set({ partition: 'p', key }, 1);
    const bad = new Set(['a', 'c', 'd', 'e\0']);
    const whole = damaged(backend, bad);
    const without = new Proxy(whole, {
      get: (target, name) =>
        name === 'keys'
          ? (...given: Parameters<Backend['keys']>) => change(target.keys(...given), bad)
          : (Reflect.get(target, name, target) as unknown),
    });
    const result = await checkStorage(without);
    expect(result.damage.map(({ key }) => key)).toEqual([...bad]);
    expect(result).toMatchObject({ values: 2, damaged: 4 });
  });

  it('counts what lies before something unreadable, where pages fail for what comes after them', async () => {
    const backend = await memory();
    const names = Array.from({ length: 40 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    for (const key of names) await backend.set({ partition: 'p', key }, 1);
    const whole = damaged(backend, new Set(['k07', 'k30']));
    const ahead = new Proxy(whole, {
      get: (target, name) =>
        name === 'scan'
          ? async (partition: string, { limit = 100, ...options }: ScanOptions = {}) => {
              await target.scan(partition, { ...options, limit: Math.min(limit + 3, 1_000) });
              return target.scan(partition, { ...options, limit });
            }
          : (Reflect.get(target, name, target) as unknown),
    });
    const { values, damage } = await checkStorage(ahead);
    expect(damage.map(({ key }) => key)).toEqual(['k07', 'k30']);
    expect(values).toBe(38);
  });

  it('finds keys of the greatest length', async () => {
    const backend = await memory();
    const names = ['x'.repeat(1_024), '\u{10FFFF}'.repeat(256)];
    for (const key of [...names, 'whole']) await backend.set({ partition: 'p', key }, 1);
    const result = await checkStorage(damaged(backend, new Set(names)));
    expect(new Set(result.damage.map(({ key }) => key))).toEqual(new Set(names));
    expect(result.values).toBe(1);
  });

  it('says from which element on a list cannot be read', async () => {
    const backend = await memory();
    await backend.append({ partition: 'p', key: 'list' }, [1, 2, 3]);
    await backend.set({ partition: 'p', key: 'value' }, 1);
    const { damage, values } = await checkStorage(damaged(backend, new Set(), 2));
    expect({ damage, values }).toMatchObject({
      damage: [{ partition: 'p', key: 'list', element: 2 }],
      values: 1,
    });
  });

  it('rejects when the backend does not answer', async () => {
    const backend = await memory();
    await backend.set({ partition: 'p', key: 'k' }, 1);
    const away = new Proxy(backend, {
      get: (target, name) =>
        name === 'scan'
          ? () => Promise.reject(new StorageError('UNAVAILABLE', 'away'))
          : (Reflect.get(target, name, target) as () => void).bind(target),
    });
    await expect(checkStorage(away)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
