import type { Clock } from '../clock';
import type { Awaitable, Driver } from '../driver';
import { DriverOpening } from '../driver-opening';
import { StorageError } from '../errors';
import type { Around } from './around-backend';

/**
 * A driver whose every operation goes through `around`; `close` does not. Here values are text or bytes that nobody
 * changes any more and writes have their versions, so each run of one operation does the same.
 */
export function aroundDriver(driver: Driver, around: Around, clock: Clock): Driver {
  /** Those that failed of one error fail with one again. */
  const explained = new WeakMap<object, StorageError>();
  const explain = (error: unknown): StorageError => {
    if (error instanceof StorageError) return error;
    const isObject = typeof error === 'object' && error !== null;
    const before = isObject ? explained.get(error) : undefined;
    if (before !== undefined) return before;
    const known =
      driver.explain?.(error) ??
      new StorageError('UNAVAILABLE', `The ${driver.name} backend failed.`, { cause: error });
    if (isObject) explained.set(error, known);
    return known;
  };
  // What the engine's errors mean has to be known here, to tell which of them pass.
  const asked = async <T>(ask: () => Awaitable<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      throw explain(error);
    }
  };
  const run = <T>(method: string, ask: () => Awaitable<T>): Promise<T> =>
    around({ method, isRepeatable: true }, () => asked(ask));
  const make = <T>(method: string, ask: () => Awaitable<T>): Promise<T> =>
    around({ method, isRepeatable: false }, () => asked(ask));
  const opening = new DriverOpening(driver);

  return {
    name: driver.name,
    capabilities: driver.capabilities,
    openTimeoutMs: driver.openTimeoutMs,
    open: () => run('open', opening.begin()),
    close: () => opening.close(),
    // A later attempt sees what has expired since the first.
    get: (partition, key) => run('get', () => driver.get(partition, key, clock.now())),
    getMany: (addresses) => run('getMany', () => driver.getMany(addresses, clock.now())),
    scan: (partition, scan) => run('scan', () => driver.scan(partition, scan, clock.now())),
    partitions: (range, limit) => run('partitions', () => driver.partitions(range, limit, clock.now())),
    range: (partition, key, start, end) =>
      run('range', () => driver.range(partition, key, start, end, clock.now())),
    length: (partition, key) => run('length', () => driver.length(partition, key, clock.now())),
    write: (write) => make(write.type, () => driver.write(write, clock.now())),
    batch: (writes) => make('batch', () => driver.batch(writes, clock.now())),
    sweep: (limit) => run('sweep', () => driver.sweep(limit, clock.now())),
    stats: () => run('stats', () => driver.stats(clock.now())),
    ...(driver.keys && {
      keys: (partition, scan) => run('keys', () => driver.keys!(partition, scan, clock.now())),
    }),
    ...(driver.transact && {
      transact: (writes) => make('transact', () => driver.transact!(writes, clock.now())),
    }),
    ...(driver.query && {
      query: (partition, filter, scan) =>
        run('query', () => driver.query!(partition, filter, scan, clock.now())),
    }),
    ...(driver.publish && {
      publish: (channel, message) => make('publish', () => driver.publish!(channel, message)),
    }),
    ...(driver.subscribe && {
      subscribe: (channel, listener) => run('subscribe', () => driver.subscribe!(channel, listener)),
    }),
  };
}
