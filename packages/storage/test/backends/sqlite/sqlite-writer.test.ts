import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createSqliteBackend } from '../../../src';
import { intercepted } from './intercepted';
import { at, temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();

async function traced() {
  const statements: string[] = [];
  const client = new Database(':memory:', { verbose: (text) => statements.push(String(text)) });
  const backend = createSqliteBackend({ client, sweepIntervalMs: 0 });
  await backend.open();
  statements.length = 0;
  const count = (text: string): number => statements.filter((one) => one === text).length;
  return { backend, client, count };
}

describe('writes to SQLite', () => {
  it('that come in one turn share a transaction', async () => {
    const { backend, client, count } = await traced();
    await Promise.all(Array.from({ length: 20 }, (_, index) => backend.set(at(`k${index}`), index)));
    // One, but for a machine that takes longer over them than a turn may last.
    expect(count('COMMIT')).toBeLessThan(20);
    await backend.close();
    client.close();
  });

  it('are each what they would be alone, whatever others in the transaction do', async () => {
    const { backend, client } = await traced();
    await backend.set(at('there'), 1);
    const outcomes = await Promise.allSettled([
      backend.set(at('a'), 1),
      backend.transact([
        { type: 'set', ...at('b'), value: 1 },
        { type: 'set', ...at('there'), value: 2, ifAbsent: true },
      ]),
      backend.append(at('there'), [1]),
      backend.set(at('c'), 1),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    const { items } = await backend.scan('p');
    expect(items.map(({ key }) => key)).toEqual(['a', 'c', 'there']);
    await backend.close();
    client.close();
  });

  it('leave nothing of an append that fails halfway, and all of the others', async () => {
    const { backend, client } = await traced();
    await backend.append(at('l'), ['first']);
    client.exec(`CREATE TRIGGER refusing BEFORE INSERT ON recap_elements WHEN NEW.json = '"refused"'
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const outcomes = await Promise.allSettled([
      backend.set(at('a'), 1),
      backend.append(at('l'), ['second']),
      backend.append(at('l'), ['third', 'refused']),
      backend.append(at('new'), ['refused']),
      backend.append(at('l'), ['fourth']),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'refused'))).toEqual([
      expect.any(String),
      2,
      'refused',
      'refused',
      3,
    ]);
    expect(await backend.range(at('l'))).toEqual(['first', 'second', 'fourth']);
    expect((await backend.scan('p')).items.map(({ key }) => key)).toEqual(['a', 'l']);
    await backend.close();
    client.close();
  });

  it('are in the order in which they were asked for', async () => {
    const { backend, client } = await traced();
    const writes = Array.from({ length: 50 }, (_, index) => backend.set(at('k'), index));
    writes.push(backend.set(at('k'), 'last'));
    await Promise.all(writes);
    expect((await backend.get(at('k')))?.value).toBe('last');
    await backend.close();
    client.close();
  });

  // A full disk takes back the whole transaction, with what others had written in it.
  it('fail by themselves where no room is left, and go on once there is', async () => {
    const path = join(folder(), 'full.db');
    const client = new Database(path);
    const backend = createSqliteBackend({ client, sweepIntervalMs: 0 });
    await backend.open();
    for (let index = 0; index < 20; index += 1) await backend.set(at(`k${index}`), 'x'.repeat(4_000));
    client.pragma(`max_page_count = ${String(client.pragma('page_count', { simple: true }))}`);
    const [small, large, list, deleted] = await Promise.allSettled([
      backend.set(at('k0'), 'small'),
      backend.set(at('large'), 'x'.repeat(100_000)),
      backend.append(at('list'), ['x'.repeat(50_000), 'x'.repeat(50_000)]),
      backend.delete(at('k1')),
    ]);
    expect(small.status).toBe('fulfilled');
    for (const outcome of [large, list])
      expect(outcome).toMatchObject({ reason: { code: 'CAPACITY_EXCEEDED' } });
    expect(deleted).toMatchObject({ value: true });
    expect(await backend.get(at('large'))).toBe(undefined);
    expect(await backend.length(at('list'))).toBe(0);
    expect((await backend.get(at('k0')))?.value).toBe('small');
    await Promise.all(Array.from({ length: 20 }, (_, index) => backend.delete(at(`k${index}`))));
    await backend.set(at('large'), 'x'.repeat(40_000));
    expect(client.pragma('integrity_check', { simple: true })).toBe('ok');
    await backend.close();
    client.close();
  });

  it('that share a transaction which fails are tried each by itself', async () => {
    const database = new Database(':memory:');
    const client = intercepted(database, (sql) => {
      if (sql !== 'COMMIT') return;
      const large = database.prepare('SELECT 1 FROM recap_items WHERE length(json) > 1000').get();
      if (large !== undefined) throw Object.assign(new Error('no room'), { code: 'SQLITE_FULL' });
    });
    const backend = createSqliteBackend({ client, sweepIntervalMs: 0 });
    await backend.open();
    const outcomes = await Promise.allSettled([
      backend.set(at('a'), 1),
      backend.append(at('l'), [1, 2]),
      backend.set(at('large'), 'x'.repeat(2_000)),
      backend.append(at('l'), [3]),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'written' : outcome.reason))).toEqual([
      'written',
      'written',
      expect.objectContaining({ code: 'CAPACITY_EXCEEDED' }),
      'written',
    ]);
    expect(await backend.get(at('large'))).toBe(undefined);
    expect(await backend.range(at('l'))).toEqual([1, 2, 3]);
    await backend.close();
    database.close();
  });

  it('reach the file itself, and not only its log', async () => {
    const path = join(folder(), 'items.db');
    const errors: unknown[] = [];
    const backend = createSqliteBackend({
      path,
      synchronous: 'normal',
      sweepIntervalMs: 0,
      onError: (error) => errors.push(error),
    });
    await backend.open();
    for (let round = 0; round < 30; round += 1)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => backend.set(at(`k${round}-${index}`), 'x'.repeat(100_000))),
      );
    const other = new Database(path);
    const [log] = other.pragma('wal_checkpoint(PASSIVE)') as { log: number }[];
    // 30 MB were written; what is in the log is begun anew at 16.
    expect(log!.log * 4_096).toBeLessThan(20 * 2 ** 20);
    other.close();
    await backend.close();
    expect(errors).toEqual([]);
  });

  describe('and the disk', () => {
    let datasync: jest.SpyInstance<Promise<void>, []>;

    beforeEach(async () => {
      const handle = await open(join(folder(), 'any'), 'w');
      datasync = jest.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync');
      await handle.close();
    });
    afterEach(() => datasync.mockRestore());

    const opened = async (synchronous?: 'full' | 'normal') => {
      const path = join(folder(), 'items.db');
      const backend = createSqliteBackend({ path, sweepIntervalMs: 0, ...(synchronous && { synchronous }) });
      await backend.open();
      return backend;
    };

    it('are answered once it has them', async () => {
      const backend = await opened();
      const order: string[] = [];
      datasync.mockImplementationOnce(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('synced');
      });
      await backend.set(at('k'), 1).then(() => order.push('answered'));
      expect(order).toEqual(['synced', 'answered']);
      await backend.close();
    });

    it('share a sync, except with one that had begun before', async () => {
      const backend = await opened();
      let finish = (): void => undefined;
      const begun = new Promise<void>((resolve) =>
        datasync.mockImplementationOnce(() => {
          resolve();
          return new Promise((end) => {
            finish = end;
          });
        }),
      );
      const first = backend.set(at('a'), 1);
      await begun;
      const more = [backend.set(at('b'), 1)];
      while ((await backend.get(at('b'))) === undefined)
        await new Promise((resolve) => setImmediate(resolve));
      more.push(backend.set(at('c'), 1));
      while ((await backend.get(at('c'))) === undefined)
        await new Promise((resolve) => setImmediate(resolve));
      expect(datasync).toHaveBeenCalledTimes(1);
      finish();
      await Promise.all([first, ...more]);
      expect(datasync).toHaveBeenCalledTimes(2);
      await backend.close();
    });

    it('are refused when it fails', async () => {
      const backend = await opened();
      datasync.mockRejectedValueOnce(Object.assign(new Error('input/output error'), { code: 'EIO' }));
      await expect(backend.set(at('k'), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await backend.set(at('k'), 2);
      await backend.close();
    });

    it('do not wait for it where that is not asked for', async () => {
      const backend = await opened('normal');
      await backend.set(at('k'), 1);
      expect(datasync).not.toHaveBeenCalled();
      await backend.close();
    });
  });
});

describe('long work on SQLite', () => {
  /** Counts how often the program gets its turn meanwhile. */
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await work();
    isDone = true;
    return turns;
  }

  it('lets the program have its turns: scans over what has expired, sweeps, batches, lists, queries', async () => {
    let now = 1_000;
    const backend = createSqliteBackend({
      path: ':memory:',
      clock: { now: () => now },
      sweepIntervalMs: 0,
    });
    await backend.open();
    const fill = async (): Promise<void> => {
      for (let from = 0; from < 30_000; from += 1_000)
        await backend.batch(
          Array.from({ length: 1_000 }, (_, index) => ({
            type: 'set',
            ...at(`k${from + index}`),
            value: { index },
            expiresAt: 2_000,
          })),
        );
    };
    expect(await turnsDuring(fill)).toBeGreaterThan(30);
    const values = Array.from({ length: 1_000 }, (_, index) => index);
    for (let calls = 0; calls < 20; calls += 1) await backend.append(at('l', 'lists'), values);
    expect(await turnsDuring(() => backend.range(at('l', 'lists')))).toBeGreaterThan(1);
    expect(await turnsDuring(() => backend.query('p', [{ path: ['index'], equals: -1 }]))).toBeGreaterThan(1);
    now = 2_000;
    expect(await turnsDuring(() => backend.scan('p'))).toBeGreaterThan(1);
    expect(await turnsDuring(() => backend.keys('p'))).toBeGreaterThan(1);
    expect(await turnsDuring(() => backend.partitions())).toBeGreaterThan(1);
    expect(await turnsDuring(() => backend.stats())).toBeGreaterThan(1);
    expect(await turnsDuring(() => backend.sweep(1_000))).toBeGreaterThan(1);
    const gets = () =>
      Promise.all(Array.from({ length: 10_000 }, (_, index) => backend.get(at(`k${index}`))));
    expect(await turnsDuring(gets)).toBeGreaterThan(1);
    await backend.close();
  });

  // By a clock of its own, which each statement and each row moves on: what a slow machine would measure, every time.
  it('never takes 20 ms in one go, where a statement takes half a millisecond and a row a fiftieth', async () => {
    let time = 0;
    let turnBeganAt = 0;
    let longest = 0;
    let isDone = false;
    const work = (ms: number): void => {
      time += ms;
      longest = Math.max(longest, time - turnBeganAt);
    };
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => time);
    const watch = (): void => {
      turnBeganAt = time;
      if (!isDone) setImmediate(watch);
    };
    setImmediate(watch);
    const database = new Database(':memory:');
    const client = intercepted(
      database,
      () => work(0.5),
      () => work(0.02),
    );
    let now = 1_000;
    const backend = createSqliteBackend({ client, clock: { now: () => now }, sweepIntervalMs: 0 });
    await backend.open();
    longest = 0;
    const writes = Array.from({ length: 300 }, (_, index) => index);
    await Promise.all(
      writes.map((index) => backend.set(at(`k${index}`), index, index % 2 === 0 ? {} : { expiresAt: 2_000 })),
    );
    await backend.append(at('l', 'lists'), writes.slice(0, 8));
    now = 2_000;
    await Promise.all([
      ...writes.map((index) => backend.set(at(`n${index}`), index)),
      ...writes.map((index) => backend.get(at(`k${index}`))),
      backend.getMany(writes.map((index) => at(`k${index}`))),
      ...[1, 2, 3].map(() => backend.scan('p', { limit: 1_000 })),
      backend.keys('p', { limit: 1_000 }),
      backend.query('p', []),
      backend.partitions(),
      backend.stats(),
      backend.range(at('l', 'lists')),
      backend.sweep(1_000),
    ]);
    isDone = true;
    await backend.close();
    clock.mockRestore();
    database.close();
    expect(time).toBeGreaterThan(500);
    expect(longest).toBeGreaterThan(4);
    expect(longest).toBeLessThan(20);
  });

  it('ends a page early rather than hand over more than a megabyte', async () => {
    const backend = createSqliteBackend({ path: ':memory:', sweepIntervalMs: 0 });
    await backend.open();
    for (let index = 0; index < 5; index += 1) await backend.set(at(`k${index}`), 'x'.repeat(600_000));
    const first = await backend.scan('p');
    expect(first.items.map(({ key }) => key)).toEqual(['k0', 'k1']);
    const second = await backend.scan('p', { after: first.next! });
    expect(second.items.map(({ key }) => key)).toEqual(['k2', 'k3']);
    const last = await backend.scan('p', { after: second.next! });
    expect(last.items.map(({ key }) => key)).toEqual(['k4']);
    expect(last.next).toBe(undefined);
    expect(await backend.keys('p')).toEqual({ items: ['k0', 'k1', 'k2', 'k3', 'k4'] });
    await backend.close();
  });

  it('finds in a scan what is large or empty among what is small, lists and expired ones too', async () => {
    let now = 1_000;
    const backend = createSqliteBackend({
      path: ':memory:',
      sweepIntervalMs: 0,
      clock: { now: () => now },
    });
    await backend.open();
    const wanted: [string, unknown][] = [];
    for (let index = 0; index < 300; index += 1) {
      const key = `k${String(index).padStart(3, '0')}`;
      if (index % 50 === 7) await backend.append(at(key), ['x'.repeat(40_000)]);
      else if (index % 50 === 8) await backend.set(at(key), 1, { expiresAt: 1_500 });
      else if (index % 50 === 9) await backend.set(at(key), 'é'.repeat(10_000));
      else if (index % 50 === 10) await backend.set(at(key), new Uint8Array(20_000).fill(index));
      else if (index % 50 === 11) await backend.set(at(key), new Uint8Array(0));
      else await backend.set(at(key), { index });
      const written = index % 50 === 7 ? undefined : (await backend.get(at(key)))?.value;
      if (index % 50 !== 8) wanted.push([key, written]);
    }
    now = 2_000;
    for (const reverse of [false, true]) {
      const { items } = await backend.scan('p', { limit: 1_000, reverse });
      const found = items.map((item) => [item.key, item.type === 'value' ? item.value : undefined]);
      expect(found).toEqual(reverse ? [...wanted].reverse() : wanted);
    }
    await backend.close();
  });

  it('reads a list as what it has become, when it is replaced and swept meanwhile', async () => {
    const database = new Database(':memory:');
    let isReplaced = false;
    const client = intercepted(database, (sql) => {
      if (isReplaced || !/^SELECT position/.test(sql)) return;
      isReplaced = true;
      database.exec(`DELETE FROM recap_items; DELETE FROM recap_elements WHERE position < 5;
        INSERT INTO recap_items (partition, key, kind, version, list, length, recent)
          VALUES (x'70', x'6c', 4, 'v', 'new', 1, '');
        INSERT INTO recap_elements (list, position, kind, json) VALUES ('new', 0, 1, '"new"')`);
    });
    const backend = createSqliteBackend({ client, sweepIntervalMs: 0 });
    await backend.open();
    await backend.append(
      at('l'),
      Array.from({ length: 10 }, () => 'old'),
    );
    expect(await backend.range(at('l'))).toEqual(['new']);
    await backend.close();
    database.close();
  });
});
