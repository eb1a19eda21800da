import {
  createBackend,
  type Address,
  type Backend,
  type Driver,
  type DriverWrite,
  type Value,
} from '../../src';
import { MemoryDriver } from '../../src/backends/memory/memory-driver';
import type { FakeClock } from '../../src/testing';

/** A defect that somebody's storage has had, and a test of the suite that has to find it. */
export interface BrokenBackend {
  readonly defect: string;
  readonly foundBy: string;
  readonly open: (clock: FakeClock) => Backend;
}

const limits = { maxItems: 1e6, maxBytes: 2 ** 26, maxValueBytes: 2 ** 18, whenFull: 'refuse' } as const;

export const memoryDriver = (): MemoryDriver => new MemoryDriver(limits);

/** A driver in which some methods do something else. */
export function withDriver(change: (driver: MemoryDriver) => Partial<Driver>): (clock: FakeClock) => Backend {
  return (clock) => {
    const driver = memoryDriver();
    return createBackend(overriding(driver as Driver, change(driver)), { clock, sweepIntervalMs: 0 });
  };
}

function withBackend(
  change: (backend: Backend, clock: FakeClock) => Partial<Backend>,
): (clock: FakeClock) => Backend {
  return (clock) => {
    const backend = createBackend(memoryDriver(), { clock, sweepIntervalMs: 0 });
    return overriding(backend, change(backend, clock));
  };
}

function overriding<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function joining(backend: Backend, separator: string): Partial<Backend> {
  const joined = ({ partition, key }: Address): Address => ({
    partition: 'all',
    key: `${partition}${separator}${key}`,
  });
  return {
    get: (address) => backend.get(joined(address)),
    getMany: (addresses) => backend.getMany(addresses.map(joined)),
    set: (address, value, options) => backend.set(joined(address), value, options),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const brokenBackends: readonly BrokenBackend[] = [
  {
    defect: 'shows what expires for one millisecond too long',
    foundBy: 'hides an item from its very instant on',
    open: withDriver((driver) => ({ get: (partition, key, now) => driver.get(partition, key, now - 1) })),
  },
  {
    defect: 'shows what has expired in scans',
    foundBy: 'hides an item from its very instant on',
    open: withDriver((driver) => ({ scan: (partition, scan) => driver.scan(partition, scan, 0) })),
  },
  {
    defect: 'expires in whole seconds',
    foundBy: 'hides an item from its very instant on',
    open: withDriver((driver) => ({
      get: (partition, key, now) => driver.get(partition, key, Math.floor(now / 1_000) * 1_000 - 1),
    })),
  },
  {
    defect: 'counts what has expired',
    foundBy: 'hides an item from its very instant on',
    open: withDriver((driver) => ({ stats: () => driver.stats(0) })),
  },
  {
    defect: 'extends the expiry at every read',
    foundBy: 'is not extended by reading',
    open: withBackend((backend) => ({
      get: async (address) => {
        const item = await backend.get(address);
        if (item?.expiresAt !== undefined) {
          const expiresAt = item.expiresAt + 10;
          await backend.set(address, item.value, {
            expiresAt,
            version: item.version,
            ifVersion: item.version,
          });
          await backend.delete(address);
          await backend.set(address, item.value, { expiresAt });
        }
        return item;
      },
    })),
  },
  {
    defect: 'keeps the expiry of what was there before',
    foundBy: 'is replaced or taken away with the value',
    open: withBackend((backend) => ({
      set: async (address, value, options = {}) => {
        const before = await backend.get(address).catch(() => undefined);
        return backend.set(address, value, {
          ...(before?.expiresAt && { expiresAt: before.expiresAt }),
          ...options,
        });
      },
    })),
  },
  {
    defect: 'sweeps more than it was asked to',
    foundBy: 'gives space back in steps',
    open: withDriver((driver) => ({ sweep: (_limit, now) => driver.sweep(1e6, now) })),
  },
  {
    defect: 'sweeps what is alive',
    foundBy: 'gives space back in steps',
    open: withDriver((driver) => ({ sweep: (limit, now) => driver.sweep(limit, now + 1_000) })),
  },
  {
    defect: 'sweeps everything, and tells of what it was asked for',
    foundBy: 'is swept as far as was asked for',
    open: withDriver((driver) => ({
      sweep: (limit, now) => Math.min(driver.sweep(1e6, now), limit),
    })),
  },
  {
    defect: 'tells one fewer than it swept',
    foundBy: 'is swept as far as was asked for',
    open: withDriver((driver) => ({ sweep: (limit, now) => Math.max(driver.sweep(limit, now) - 1, 0) })),
  },
  {
    defect: 'sweeps nothing, and tells of as much as it was asked for',
    foundBy: 'gives space back in steps',
    open: withDriver(() => ({ sweep: (limit) => limit })),
  },
  {
    defect: 'counts to 100, and says that these are all',
    foundBy: 'counts 250, or says where it stops counting',
    open: withDriver((driver) => ({
      stats: (now) => ({ items: Math.min(driver.stats(now).items, 100), isCapped: false }),
    })),
  },
  {
    defect: 'hands out what it keeps',
    foundBy: 'are independent of what the caller does',
    open: withBackend((backend) => {
      const live = new Map<string, Value>();
      return {
        set: async (address, value, options) => {
          live.set(address.key, value);
          return backend.set(address, value, options);
        },
        get: async (address) => {
          const item = await backend.get(address);
          return item && { ...item, value: live.get(address.key) ?? item.value };
        },
      };
    }),
  },
  {
    defect: 'turns bytes into text',
    foundBy: 'come back as they were: bytes of every value',
    open: withDriver((driver) => ({
      write: (write, now) =>
        driver.write(
          write.type === 'set' && typeof write.value !== 'string'
            ? { ...write, value: JSON.stringify(Buffer.from(write.value).toString('base64')) }
            : write,
          now,
        ),
    })),
  },
  {
    defect: 'cannot hold NUL in values',
    foundBy: 'come back as they were: NUL in strings and names',
    open: withDriver((driver) => ({
      write: (write, now) =>
        driver.write(
          write.type === 'set' && typeof write.value === 'string'
            ? { ...write, value: write.value.replaceAll('\\u0000', '') }
            : write,
          now,
        ),
    })),
  },
  {
    defect: 'stores what JSON makes of it',
    foundBy: 'are refused with the path to what JSON cannot hold: a Date',
    open: withBackend((backend) => ({
      set: (address, value, options) =>
        backend.set(
          address,
          value instanceof Uint8Array || Array.isArray(value)
            ? value
            : (JSON.parse(JSON.stringify([value])) as [Value])[0],
          options,
        ),
    })),
  },
  {
    defect: 'joins partition and key with a colon',
    foundBy: 'and partitions do not run together',
    open: withBackend((backend) => joining(backend, ':')),
  },
  {
    defect: 'joins partition and key with NUL',
    foundBy: 'and partitions do not run together: "\\\\u0000" between them',
    open: withBackend((backend) => joining(backend, '\0')),
  },
  {
    defect: 'cuts keys at 255 characters',
    foundBy: 'that differ only after 255 characters are two',
    open: withDriver((driver) => ({
      write: (write, now) => driver.write({ ...write, key: write.key.slice(0, 255) }, now),
      get: (partition, key, now) => driver.get(partition, key.slice(0, 255), now),
    })),
  },
  {
    defect: 'cuts partitions at 255 characters',
    foundBy: 'that differ only after 255 characters are two',
    open: withDriver((driver) => ({
      write: (write, now) => driver.write({ ...write, partition: write.partition.slice(0, 255) }, now),
      get: (partition, key, now) => driver.get(partition.slice(0, 255), key, now),
      scan: (partition, scan, now) => driver.scan(partition.slice(0, 255), scan, now),
      keys: (partition, scan, now) => driver.keys(partition.slice(0, 255), scan, now),
    })),
  },
  {
    defect: 'ends keys at NUL',
    foundBy: 'of every kind are told apart',
    open: withDriver((driver) => ({
      write: (write, now) => driver.write({ ...write, key: write.key.split('\0')[0] || '-' }, now),
      get: (partition, key, now) => driver.get(partition, key.split('\0')[0] || '-', now),
    })),
  },
  {
    defect: 'takes keys of the wrong size',
    foundBy: 'are refused by every operation: of 1,025 bytes',
    open: withBackend((backend) => ({
      get: (address) => backend.get({ ...address, key: address.key.slice(0, 1_024) || ' ' }),
    })),
  },
  {
    defect: 'ignores the case of keys',
    foundBy: 'of every kind are told apart|go by the bytes of keys',
    open: withDriver((driver) => ({
      write: (write, now) => driver.write({ ...write, key: write.key.toLowerCase() }, now),
    })),
  },
  {
    defect: 'takes a prefix for a pattern',
    foundBy: 'take a prefix as literal text: "a%"',
    open: withBackend((backend) => ({
      scan: async (partition, options = {}) => {
        const { prefix, ...range } = options.range ?? {};
        if (prefix === undefined) return backend.scan(partition, options);
        const pattern = new RegExp(
          `^${prefix
            .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
            .replaceAll('%', '.*')
            .replaceAll('_', '.')}`,
          'is',
        );
        const { items } = await backend.scan(partition, { ...options, range, limit: 1_000 });
        return { items: items.filter(({ key }) => pattern.test(key)) };
      },
    })),
  },
  {
    defect: 'orders keys by UTF-16',
    foundBy: 'go by the bytes of keys',
    open: withBackend((backend) => ({
      scan: async (partition, options) => {
        const page = await backend.scan(partition, options);
        const sign = options?.reverse === true ? -1 : 1;
        return { ...page, items: [...page.items].sort((a, b) => (a.key < b.key ? -sign : sign)) };
      },
    })),
  },
  {
    defect: 'knows one page and no more',
    foundBy: 'find everything of 2,500 items',
    open: withDriver((driver) => ({
      scan: (partition, scan, now) => ({ ...driver.scan(partition, scan, now), hasMore: false }),
    })),
  },
  {
    defect: 'lists 150 partitions and no more',
    foundBy: 'are all listed, of 250',
    open: withDriver((driver) => ({
      partitions: (range, limit, now) => {
        const most = new Set(driver.partitions({ from: Buffer.of(), to: undefined }, 150, now).items);
        const page = driver.partitions(range, limit, now);
        const items = page.items.filter((name) => most.has(name));
        return { items, hasMore: page.hasMore && items.length === page.items.length };
      },
    })),
  },
  {
    defect: 'cuts elements of lists at 128 KiB',
    foundBy: 'keep elements of 200 KiB',
    open: withDriver((driver) => ({
      write: (write, now) =>
        driver.write(
          write.type === 'append'
            ? {
                ...write,
                values: write.values.map((value) =>
                  value.length > 131_072 && typeof value === 'string' ? `${value.slice(0, 131_071)}"` : value,
                ),
              }
            : write,
          now,
        ),
    })),
  },
  {
    defect: 'gives 5,000 elements of a list at most',
    foundBy: 'of 6,000 elements give their last ten, and all',
    open: withDriver((driver) => ({
      range: (partition, key, start, end, now) => {
        const found = driver.range(partition, key, start, end, now);
        return found === 'wrong-type' ? found : { values: found.values.slice(0, 5_000) };
      },
    })),
  },
  {
    defect: 'deletes in a transaction that is refused',
    foundBy: 'apply nothing because of a version that is another',
    open: withDriver((driver) => ({
      transact: (writes, now) => {
        for (const write of writes) if (write.type === 'delete') driver.write(write, now);
        return driver.transact(writes, now);
      },
    })),
  },
  {
    defect: 'looks first and deletes later, where a version is named',
    foundBy: 'let one of many delete who name its version',
    open: withDriver((driver) => ({
      write: async (write, now) => {
        if (write.type !== 'delete' || write.ifVersion === undefined) return driver.write(write, now);
        const there = driver.get(write.partition, write.key, now);
        if (there === undefined) return { status: 'missing' };
        if (there.version !== write.ifVersion) return { status: 'conflict' };
        await turn();
        driver.write({ ...write, ifVersion: undefined }, now);
        return { status: 'deleted' };
      },
    })),
  },
  {
    defect: 'promises a page that is not there',
    foundBy: 'say there is more only when there is',
    open: withDriver((driver) => ({
      scan: (partition, scan, now) => {
        const page = driver.scan(partition, scan, now);
        return { ...page, hasMore: page.items.length === scan.limit };
      },
    })),
  },
  {
    defect: 'lists the keys of what has expired',
    foundBy: 'leave out what has expired, within a page and at its end',
    open: withDriver((driver) => ({ keys: (partition, scan) => driver.keys(partition, scan, 0) })),
  },
  {
    defect: 'knows one page of keys and no more',
    foundBy: 'come page by page without a gap or a repetition: 2 at once',
    open: withDriver((driver) => ({
      keys: (partition, scan, now) => ({ ...driver.keys(partition, scan, now), hasMore: false }),
    })),
  },
  {
    defect: 'lists the keys of lists that have expired',
    foundBy: 'leave out expired values and lists in both directions, and within bounds',
    open: withDriver((driver) => ({
      keys: (partition, scan, now) => {
        const late = driver.keys(partition, scan, 0);
        const items = late.items.filter((key) => {
          const item = driver.get(partition, key, 0);
          return item?.value === undefined || driver.get(partition, key, now) !== undefined;
        });
        const stoppedAt = late.items.at(-1);
        return { ...late, items, ...(stoppedAt !== undefined && { stoppedAt }) };
      },
    })),
  },
  {
    defect: 'ends listed keys at NUL',
    foundBy: 'of every kind come in the order of their bytes, both ways',
    open: withDriver((driver) => ({
      keys: (partition, scan, now) => {
        const { items, ...rest } = driver.keys(partition, scan, now);
        const stoppedAt = items.at(-1);
        return {
          ...rest,
          items: items.map((key) => key.split('\0')[0] || key),
          ...(stoppedAt !== undefined && { stoppedAt }),
        };
      },
    })),
  },
  {
    defect: 'goes on with keys by their number instead of their place',
    foundBy: 'are told once each while others come and go',
    open: withBackend((backend) => {
      let told = 0;
      return {
        keys: async (partition, { after, limit = 100, ...options } = {}) => {
          if (after === undefined) told = 0;
          const all = await backend.keys(partition, { ...options, limit: 1_000 });
          const items = all.items.slice(told, told + limit);
          told += items.length;
          const next = items.at(-1);
          return told < all.items.length && next !== undefined ? { items, next } : { items };
        },
      };
    }),
  },
  {
    defect: 'lists no keys of lists',
    foundBy: 'are those of values and lists alike',
    open: withBackend((backend) => ({
      keys: async (partition, options) => {
        const { items, ...rest } = await backend.scan(partition, options);
        return { ...rest, items: items.filter(({ type }) => type === 'value').map(({ key }) => key) };
      },
    })),
  },
  {
    defect: 'looks first and writes later, where nothing should be',
    foundBy: 'let one of many win',
    open: withBackend((backend) => ({
      set: async (address, value, { ifAbsent = false, ...options } = {}) => {
        const outcome = await backend.get(address).catch(() => true as const);
        await turn();
        if (ifAbsent && outcome !== undefined) return undefined;
        return backend.set(address, value, options);
      },
    })),
  },
  {
    defect: 'overlooks versions',
    foundBy: 'write over the version that is named',
    open: withBackend((backend) => ({
      set: (address, value, options = {}) => {
        const { ifVersion: _, ...rest } = options;
        return backend.set(address, value, rest);
      },
    })),
  },
  {
    defect: 'takes every version for another',
    foundBy: 'lose no increment of many who count',
    open: withDriver((driver) => ({
      write: (write, now) =>
        write.type === 'set' && write.ifVersion !== undefined
          ? { status: 'conflict' }
          : driver.write(write, now),
    })),
  },
  {
    defect: 'takes every version in a transaction for another',
    foundBy: 'move money between two accounts',
    open: withDriver((driver) => ({
      transact: (writes, now) =>
        writes.some((write) => 'ifVersion' in write && write.ifVersion !== undefined)
          ? writes.map(() => ({ status: 'conflict' }))
          : driver.transact(writes, now),
    })),
  },
  {
    defect: 'goes round in pages that never end',
    foundBy: 'are listed in the order of their bytes, by literal prefix',
    open: withBackend((backend) => ({
      partitions: async (prefix, options) => ({
        ...(await backend.partitions(prefix)),
        next: options?.after === 'a' ? 'b' : 'a',
      }),
    })),
  },
  {
    defect: 'takes a failed condition for a write',
    foundBy: 'write over the version that is named',
    open: withDriver((driver) => ({
      write: (write, now) => {
        const verdict = driver.write(write, now);
        return verdict.status === 'conflict' ? { status: 'written' } : verdict;
      },
    })),
  },
  {
    defect: 'does not know its own write again',
    foundBy: 'recognise a write that is made again',
    open: withDriver((driver) => {
      const stale = (write: DriverWrite, now: number): boolean => {
        if (write.type !== 'set') return false;
        const there = driver.get(write.partition, write.key, now);
        return there?.version === write.version;
      };
      return {
        write: (write, now) => (stale(write, now) ? { status: 'conflict' } : driver.write(write, now)),
      };
    }),
  },
  {
    defect: 'says of every delete that something was there',
    foundBy: 'let one of two delete',
    open: withDriver((driver) => ({
      write: (write, now) => {
        const verdict = driver.write(write, now);
        return verdict.status === 'missing' ? { status: 'deleted' } : verdict;
      },
    })),
  },
  {
    defect: 'appends by reading, adding and writing',
    foundBy: 'lose no element of many who append at once',
    open: withBackend((backend) => ({
      append: async (address, values, options) => {
        const before = await backend.range(address);
        await turn();
        await backend.delete(address);
        return backend.append(address, [...before, ...values], options);
      },
    })),
  },
  {
    defect: 'appends twice what is sent twice',
    foundBy: 'recognise an append that is made again',
    open: withBackend((backend) => ({
      append: (address, values, { version: _, ...options } = {}) => backend.append(address, values, options),
    })),
  },
  {
    defect: 'takes a negative start for the first',
    foundBy: 'give the elements from -3 to -1',
    open: withDriver((driver) => ({
      range: (partition, key, start, end, now) => driver.range(partition, key, Math.max(start, 0), end, now),
    })),
  },
  {
    defect: 'leaves the end out',
    foundBy: 'give the elements from 1 to 3',
    open: withDriver((driver) => ({
      range: (partition, key, start, end, now) =>
        driver.range(partition, key, start, end === -1 ? -1 : end - 1, now),
    })),
  },
  {
    defect: 'takes a list for a value that is missing',
    foundBy: 'and values refuse what is meant for the other',
    open: withBackend((backend) => ({ get: (address) => backend.get(address).catch(() => undefined) })),
  },
  {
    defect: 'does not tell lists from values in scans',
    foundBy: 'bring values, versions and expiries, and tell lists apart',
    open: withDriver((driver) => ({
      scan: (partition, scan, now) => {
        const page = driver.scan(partition, scan, now);
        return {
          ...page,
          items: page.items.map((item) => ({
            value: 'null',
            ...item,
            ...(item.value === undefined && { value: 'null' }),
          })),
        };
      },
    })),
  },
  {
    defect: 'fails a whole batch for one bad item',
    foundBy: 'let one bad item fail alone',
    open: withBackend((backend) => ({
      batch: async (writes) => {
        const outcomes = await backend.batch(writes);
        for (const outcome of outcomes) if (outcome.status === 'failed') throw outcome.error;
        return outcomes;
      },
    })),
  },
  {
    defect: 'writes a batch backwards',
    foundBy: 'apply writes to one key in their order',
    open: withDriver((driver) => ({
      batch: (writes, now) => driver.batch([...writes].reverse(), now).reverse(),
    })),
  },
  {
    defect: 'answers many reads in an order of its own',
    foundBy: 'read many at once, in the order asked for',
    open: withDriver((driver) => ({
      getMany: (addresses, now) => driver.getMany(addresses, now).filter((item) => item !== undefined),
    })),
  },
  {
    defect: 'keeps the first half of a transaction',
    foundBy: 'apply nothing because of a version that is another',
    open: withDriver((driver) => ({
      transact: (writes, now) => writes.map((write) => driver.write(write, now)),
    })),
  },
  {
    defect: 'finds too little',
    foundBy: 'find what matches',
    open: withDriver((driver) => ({
      query: (partition, filter, scan, now) => {
        const page = driver.query(partition, filter, scan, now);
        return {
          ...page,
          items: page.items.filter(({ value }) => typeof value === 'string' && value.startsWith('{')),
        };
      },
    })),
  },
  {
    defect: 'finds in the order of UTF-16',
    foundBy: 'find in the order of the bytes of keys',
    open: withBackend((backend) => ({
      query: async (partition, filter, options) => {
        const page = await backend.query(partition, filter, options);
        return { ...page, items: [...page.items].sort((a, b) => (a.key < b.key ? -1 : 1)) };
      },
    })),
  },
  {
    defect: 'cuts channels at 63 characters',
    foundBy: 'stay in their channel where names differ only after 63 characters',
    open: withDriver((driver) => ({
      publish: (channel, message) => driver.publish(channel.slice(0, 63), message),
      subscribe: (channel, listener) => driver.subscribe(channel.slice(0, 63), listener),
    })),
  },
  {
    defect: 'tells the last listener alone',
    foundBy: 'reach all who listen to the channel',
    open: withDriver((driver) => {
      const ends = new Map<string, () => void>();
      return {
        subscribe: (channel, listener) => {
          ends.get(channel)?.();
          const end = driver.subscribe(channel, listener);
          ends.set(channel, end);
          return end;
        },
      };
    }),
  },
  {
    defect: 'tells those who no longer listen',
    foundBy: 'end with the subscription',
    open: withBackend((backend) => ({
      subscribe: async (channel, listener) => {
        await backend.subscribe(channel, listener);
        return async () => undefined;
      },
    })),
  },
  {
    defect: 'answers after its end',
    foundBy: 'refuses get once it is closed',
    open: withBackend(() => ({ close: async () => undefined })),
  },
  {
    defect: 'calls itself healthy whatever happens',
    foundBy: 'is not healthy once it is closed',
    open: withBackend(() => ({ health: async () => ({ healthy: true, latencyMs: 0 }) })),
  },
  {
    defect: 'leaves behind what it tried its health with',
    foundBy: 'tells its health by really working',
    open: withBackend((backend) => ({
      health: async () => {
        await backend.set({ partition: 'health', key: 'check' }, 1);
        return { healthy: true, latencyMs: 0 };
      },
    })),
  },
];
