import type { Backend, SetOptions, Write } from '../backend';
import { newId as makeId } from '../new-id';

export interface Operation {
  readonly method: Exclude<keyof Backend, 'name' | 'capabilities' | 'health' | 'close'>;
  /** Whether it does no harm to do it again when the first time may have worked. */
  readonly isRepeatable: boolean;
}

/** Runs one operation, once or more often, and gives what it gave. */
export type Around = <T>(operation: Operation, run: () => Promise<T>) => Promise<T>;

/**
 * A backend whose every operation goes through `around`; `health` and `close` do not. Writes get their version here,
 * so that each run of one operation writes the same.
 */
export function aroundBackend(inner: Backend, around: Around, newId: () => string = makeId): Backend {
  const repeatable = (method: Operation['method']): Operation => ({ method, isRepeatable: true });
  const GET = repeatable('get');
  const SET = repeatable('set');
  const DELETE = repeatable('delete');
  // Two appends with others' in between are two: only the last version of a list is known.
  const once = (method: Operation['method']): Operation => ({ method, isRepeatable: false });
  const versioned = (write: Write): Write =>
    write.type === 'delete' || write.version !== undefined ? write : { ...write, version: newId() };
  const several = (method: 'batch' | 'transact', writes: readonly Write[]): Operation =>
    writes.some(({ type }) => type === 'append') ? once(method) : repeatable(method);

  return {
    name: inner.name,
    capabilities: inner.capabilities,
    open: () => around(repeatable('open'), () => inner.open()),
    get: (address) => around(GET, () => inner.get(address)),
    getMany: (addresses) => around(repeatable('getMany'), () => inner.getMany(addresses)),
    set: (address, value, options) => {
      const given: SetOptions = options?.version === undefined ? { ...options, version: newId() } : options;
      return around(SET, () => inner.set(address, value, given));
    },
    delete: (address, options) => around(DELETE, () => inner.delete(address, options)),
    scan: (partition, options) => around(repeatable('scan'), () => inner.scan(partition, options)),
    partitions: (prefix, options) =>
      around(repeatable('partitions'), () => inner.partitions(prefix, options)),
    batch: async (writes) => {
      const given = writes.map(versioned);
      return await around(several('batch', given), () => inner.batch(given));
    },
    append: (address, values, options) => {
      const given = options?.version === undefined ? { ...options, version: newId() } : options;
      return around(once('append'), () => inner.append(address, values, given));
    },
    range: (address, start, end) => around(repeatable('range'), () => inner.range(address, start, end)),
    length: (address) => around(repeatable('length'), () => inner.length(address)),
    transact: async (writes) => {
      const given = writes.map(versioned);
      return await around(several('transact', given), () => inner.transact(given));
    },
    query: (partition, filter, options) =>
      around(repeatable('query'), () => inner.query(partition, filter, options)),
    publish: (channel, message) => around(once('publish'), () => inner.publish(channel, message)),
    subscribe: (channel, listener) =>
      around(repeatable('subscribe'), () => inner.subscribe(channel, listener)),
    sweep: (limit) => around(repeatable('sweep'), () => inner.sweep(limit)),
    stats: () => around(repeatable('stats'), () => inner.stats()),
    health: (deadlineMs) => inner.health(deadlineMs),
    close: () => inner.close(),
  };
}
