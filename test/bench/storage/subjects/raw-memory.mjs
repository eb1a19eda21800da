import { randomUUID } from 'node:crypto';
import { KEYS } from '../values.mjs';

const MAX_BYTES = 2 ** 28;
/** How many versions of a list are known, so that none is appended twice. */
const RECENT = 8;

/**
 * What a program writes that needs copies in and out, order, lists, versions, expiry and a bound of the bytes, and
 * nothing else.
 */
export async function openSubject() {
  const values = new Map();
  const bytes = new Map();
  const lists = new Map();
  const order = [];
  let held = 0;
  const live = (entry) =>
    entry !== undefined && (entry.expiresAt === undefined || entry.expiresAt > Date.now());
  const hold = (size) => {
    held += size;
    if (held > MAX_BYTES) throw new Error('It is full.');
    return size;
  };
  return {
    get: async (id) => {
      const entry = values.get(KEYS[id]);
      return live(entry) ? JSON.parse(entry.text) : undefined;
    },
    set: async (id, value) => {
      const key = KEYS[id];
      const text = JSON.stringify(value);
      const there = values.get(key);
      const size = hold(Buffer.byteLength(text));
      if (there === undefined) order.splice(firstFrom(order, key), 0, key);
      else held -= there.size;
      values.set(key, { text, size, version: randomUUID(), expiresAt: undefined });
    },
    getBytes: async (id) => {
      const entry = bytes.get(KEYS[id]);
      return live(entry) ? entry.value.slice() : undefined;
    },
    setBytes: async (id, value) => {
      const size = hold(value.byteLength);
      bytes.set(KEYS[id], { value: value.slice(), size, version: randomUUID(), expiresAt: undefined });
    },
    append: async (list, value) => {
      const text = JSON.stringify(value);
      const version = randomUUID();
      let there = lists.get(list);
      if (!live(there))
        lists.set(list, (there = { elements: [], size: 0, recent: [], expiresAt: undefined }));
      if (there.recent.includes(version)) return there.elements.length;
      there.size += hold(Buffer.byteLength(text));
      if (there.recent.unshift(version) > RECENT) there.recent.pop();
      return there.elements.push(text);
    },
    list: async (list) => {
      const { elements } = lists.get(list);
      return { length: elements.length, last: JSON.parse(elements.at(-1)) };
    },
    drop: async (list) => {
      held -= lists.get(list).size;
      lists.delete(list);
    },
    scan: async (from, limit) => {
      const first = firstFrom(order, KEYS[from]);
      const items = [];
      for (let at = first; at < order.length && items.length < limit; at += 1) {
        const key = order[at];
        const entry = values.get(key);
        if (live(entry)) items.push({ key, value: JSON.parse(entry.text), version: entry.version });
      }
      return items.map(({ value }) => value);
    },
    keys: async () => [...values.keys()].sort(),
    count: async () => values.size,
    close: async () => undefined,
  };
}

function firstFrom(order, key) {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
