import { KEYS } from '../values.mjs';

/** What a program writes that needs copies in and out, order and lists, and nothing else. */
export async function openSubject() {
  const values = new Map();
  const bytes = new Map();
  const lists = new Map();
  const order = [];
  return {
    get: async (id) => {
      const text = values.get(KEYS[id]);
      return text === undefined ? undefined : JSON.parse(text);
    },
    set: async (id, value) => {
      const key = KEYS[id];
      if (!values.has(key)) order.splice(firstFrom(order, key), 0, key);
      values.set(key, JSON.stringify(value));
    },
    getBytes: async (id) => bytes.get(KEYS[id])?.slice(),
    setBytes: async (id, value) => {
      bytes.set(KEYS[id], value.slice());
    },
    append: async (list, value) => {
      let elements = lists.get(list);
      if (elements === undefined) lists.set(list, (elements = []));
      return elements.push(JSON.stringify(value));
    },
    list: async (list) => {
      const { length, [length - 1]: last } = lists.get(list);
      return { length, last: JSON.parse(last) };
    },
    drop: async (list) => lists.delete(list),
    scan: async (from, limit) => {
      const first = firstFrom(order, KEYS[from]);
      return order.slice(first, first + limit).map((key) => JSON.parse(values.get(key)));
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
