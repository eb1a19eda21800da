import type { Backend, Value, Write } from '../backend';
import { copyValue, prepareWrite } from '../copy-value';
import { newId as makeId } from '../new-id';

export interface Operation {
  /** Its name, for messages. */
  readonly method: string;
  /**
   * Whether it does no harm to do it again when the first time may have worked. With a write it may: what another has
   * written in between would be undone, or a list have the elements twice.
   */
  readonly isRepeatable: boolean;
}

/** Runs one operation, once or more often, and gives what it gave. */
export type Around = <T>(operation: Operation, run: () => Promise<T>) => Promise<T>;

export interface AroundOptions {
  /** Makes versions. */
  readonly newId?: () => string;
  /** `around` runs an operation later than at once, or again, when the caller may have changed its values. */
  readonly runsLater?: boolean;
}

/**
 * A backend whose every operation goes through `around`; `health` and `close` do not. Writes get their version here,
 * so that each run of one operation writes the same.
 */
export function aroundBackend(
  inner: Backend,
  around: Around,
  { newId = makeId, runsLater = false }: AroundOptions = {},
): Backend {
  const repeatable = (method: string): Operation => ({ method, isRepeatable: true });
  const GET = repeatable('get');
  const once = (method: string): Operation => ({ method, isRepeatable: false });
  const SET = once('set');
  const DELETE = once('delete');
  const maxValueBytes = runsLater ? inner.capabilities.maxValueBytes : undefined;
  const valueOf = (value: Value): Value =>
    maxValueBytes === undefined ? value : copyValue(value, maxValueBytes);
  const prepare = (writes: readonly Write[]): Write[] =>
    writes.map((write) => prepareWrite(write, { newId, maxValueBytes }));

  return {
    name: inner.name,
    capabilities: inner.capabilities,
    open: () => around(repeatable('open'), () => inner.open()),
    get: (address) => around(GET, () => inner.get(address)),
    getMany: (addresses) => around(repeatable('getMany'), () => inner.getMany(addresses)),
    set: async (address, value, options) => {
      const kept = valueOf(value);
      const given = options?.version === undefined ? { ...options, version: newId() } : options;
      return await around(SET, () => inner.set(address, kept, given));
    },
    delete: (address, options) => around(DELETE, () => inner.delete(address, options)),
    scan: (partition, options) => around(repeatable('scan'), () => inner.scan(partition, options)),
    keys: (partition, options) => around(repeatable('keys'), () => inner.keys(partition, options)),
    partitions: (prefix, options) =>
      around(repeatable('partitions'), () => inner.partitions(prefix, options)),
    batch: async (writes) => {
      const given = prepare(writes);
      return await around(once('batch'), () => inner.batch(given));
    },
    append: async (address, values, options) => {
      const kept = values.map(valueOf);
      const given = options?.version === undefined ? { ...options, version: newId() } : options;
      return await around(once('append'), () => inner.append(address, kept, given));
    },
    range: (address, start, end) => around(repeatable('range'), () => inner.range(address, start, end)),
    length: (address) => around(repeatable('length'), () => inner.length(address)),
    transact: async (writes) => {
      const given = prepare(writes);
      return await around(once('transact'), () => inner.transact(given));
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
