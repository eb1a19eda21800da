import type { EntryRecord } from '../entries/entry-record';
import type { EntryStore } from '../entries/entry-store';
import type { StoreCall } from './messages';
import type { WorkerLink } from './worker-link';

/** A store that lives in a worker: nothing of what it does is done on the program's thread. */
export function threadedStore(kind: string, link: WorkerLink): EntryStore {
  const passOn =
    <Name extends StoreCall>(name: Name) =>
    (...args: Parameters<EntryStore[Name]>): ReturnType<EntryStore[Name]> =>
      link.call(name, args) as ReturnType<EntryStore[Name]>;
  const find = passOn('find');
  const get = passOn('get');
  return {
    kind,
    open: passOn('open'),
    close: () => link.close(),
    append: passOn('append'),
    find: async (query) => (await find(query)).map(withBuffers),
    count: passOn('count'),
    get: async (id, filter) => {
      const entry = await get(id, filter);
      return entry === undefined ? undefined : withBuffers(entry);
    },
    findSessions: passOn('findSessions'),
    countSessions: passOn('countSessions'),
    remove: passOn('remove'),
    sweep: passOn('sweep'),
    evictOldest: passOn('evictOldest'),
    sizes: passOn('sizes'),
    ping: passOn('ping'),
    saveGaps: passOn('saveGaps'),
    findGaps: passOn('findGaps'),
    sumGaps: passOn('sumGaps'),
    recentSessions: passOn('recentSessions'),
  };
}

/** A Buffer arrives from another thread as a plain Uint8Array. */
function withBuffers(entry: EntryRecord): EntryRecord {
  return { ...entry, requestBody: buffer(entry.requestBody), responseBody: buffer(entry.responseBody) };
}

function buffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
