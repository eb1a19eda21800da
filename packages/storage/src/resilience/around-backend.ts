import type { Address, Backend, Value, Write } from '../backend';
import { checkArray } from '../check-arguments';
import { copyAddress, copyOptions, copyValue, copyValues, prepareWrite } from '../copy-value';
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
  const addressOf = (address: Address): Address => (runsLater ? copyAddress(address) : address);
  const addressesOf = (addresses: readonly Address[]): readonly Address[] => {
    checkArray(addresses, 'addresses');
    return runsLater ? Array.from(addresses, copyAddress) : addresses;
  };
  const prepare = (writes: readonly Write[]): Write[] => {
    checkArray(writes, 'writes');
    return Array.from(writes, (write) => prepareWrite(write, { newId, maxValueBytes }));
  };

  return {
    name: inner.name,
    capabilities: inner.capabilities,
    open: () => around(repeatable('open'), () => inner.open()),
    get: (address) => {
      const at = addressOf(address);
      return around(GET, () => inner.get(at));
    },
    getMany: async (addresses) => {
      const all = addressesOf(addresses);
      return await around(repeatable('getMany'), () => inner.getMany(all));
    },
    set: async (address, value, options) => {
      const at = addressOf(address);
      const kept = valueOf(value);
      const given = copyOptions(options, { version: options?.version ?? newId() });
      return await around(SET, () => inner.set(at, kept, given));
    },
    delete: (address, options) => {
      const at = addressOf(address);
      const given = copyOptions(options, {});
      return around(DELETE, () => inner.delete(at, given));
    },
    scan: (partition, options) => around(repeatable('scan'), () => inner.scan(partition, options)),
    keys: (partition, options) => around(repeatable('keys'), () => inner.keys(partition, options)),
    partitions: (prefix, options) =>
      around(repeatable('partitions'), () => inner.partitions(prefix, options)),
    batch: async (writes) => {
      const given = prepare(writes);
      return await around(once('batch'), () => inner.batch(given));
    },
    append: async (address, values, options) => {
      const at = addressOf(address);
      const kept = maxValueBytes === undefined ? values : copyValues(values, maxValueBytes);
      const given = copyOptions(options, { version: options?.version ?? newId() });
      return await around(once('append'), () => inner.append(at, kept, given));
    },
    range: (address, start, end) => {
      const at = addressOf(address);
      return around(repeatable('range'), () => inner.range(at, start, end));
    },
    length: (address) => {
      const at = addressOf(address);
      return around(repeatable('length'), () => inner.length(at));
    },
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
