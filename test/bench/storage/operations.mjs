import { bytesOf, isBytesOf, ITEMS, KEYS, PAGE, valueOf } from './values.mjs';

/** Writes that are read again. */
const SPOT_CHECKS = 64;
/** Of the values that were set; each is another. */
let sets = 0;
/** Of keys that were not there before. */
let added = 0;

/**
 * What is measured: `of` makes the operation of a subject for so many callers, `check` finds out afterwards whether
 * what was written is there, and says what is not. An operation is refused when its answer is not what was asked for.
 */
export const OPERATIONS = {
  get: {
    text: 'get',
    of: (subject) => async (caller, turn) => {
      const id = spread(caller, turn);
      const value = await subject.get(id);
      if (value?.id !== id) throw new Error(`get of ${KEYS[id]} found ${JSON.stringify(value)}`);
    },
  },
  getBytes: {
    text: 'get of bytes',
    of: (subject) => async (caller, turn) => {
      const id = spread(caller, turn);
      if (!isBytesOf(await subject.getBytes(id), id)) throw new Error(`Other bytes are at ${KEYS[id]}`);
    },
  },
  set: {
    text: 'set',
    of: (subject, callers, written) => {
      const own = Math.floor(ITEMS / callers);
      return async (caller, turn) => {
        // Each caller has keys of its own, so that the last write to each is known.
        const id = caller * own + ((turn * 7) % own);
        const n = ++sets;
        await subject.set(id, valueOf(id, n));
        written.set(id, n);
      };
    },
    check: async (subject, written) => {
      const ids = [...written.keys()];
      const every = Math.ceil(ids.length / SPOT_CHECKS);
      for (const id of ids.filter((_, index) => index % every === 0)) {
        const found = await subject.get(id);
        const wanted = valueOf(id, written.get(id));
        if (found?.n !== wanted.n || found.content !== wanted.content)
          throw new Error(`${KEYS[id]} was set to value ${wanted.n}, and holds ${found?.n}`);
      }
      const count = await subject.count();
      if (count !== ITEMS) throw new Error(`${count} items are there, not ${ITEMS}`);
    },
  },
  setNew: {
    text: 'set of a new key, for an hour',
    /** All of them are kept until they have been read. */
    most: 40_000,
    of: (subject, _callers, written) => async (caller) => {
      const n = ++added;
      await subject.setNew(`new:${n}`, valueOf(caller, n));
      written.set(`new:${n}`, n);
    },
    check: async (subject, written) => {
      for (const [key, n] of written) {
        const found = await subject.take(key);
        if (found?.n !== n) throw new Error(`${key} was set to value ${n}, and holds ${found?.n}`);
      }
    },
  },
  append: {
    text: 'append',
    /** All of them are kept until they have been counted. */
    most: 40_000,
    of: (subject, _callers, written) => async (caller) => {
      const n = (written.get(caller) ?? 0) + 1;
      const length = await subject.append(caller, valueOf(caller, n));
      if (length !== n) throw new Error(`The list ${caller} has ${length} elements after ${n} appends`);
      written.set(caller, n);
    },
    check: async (subject, written) => {
      for (const [list, n] of written) {
        const { length, last } = await subject.list(list);
        if (length !== n) throw new Error(`The list ${list} has ${length} elements after ${n} appends`);
        if (last?.n !== n) throw new Error(`The list ${list} ends with element ${last?.n}, not ${n}`);
        await subject.drop(list);
      }
    },
  },
  scan: {
    text: `scan of ${PAGE} values`,
    isLong: true,
    of: (subject) => async (caller, turn) => {
      const from = spread(caller, turn) % (ITEMS - PAGE);
      const values = await subject.scan(from, PAGE);
      if (values.length !== PAGE || values[0]?.id !== from || values.at(-1)?.id !== from + PAGE - 1)
        throw new Error(`A scan from ${KEYS[from]} found ${values.length} values, from ${values[0]?.id}`);
    },
  },
  keys: {
    text: `all ${ITEMS} keys`,
    isLong: true,
    of: (subject) => async () => {
      const found = await subject.keys();
      if (found.length !== ITEMS) throw new Error(`${found.length} keys were found, not ${ITEMS}`);
    },
  },
};

export async function fill(subject) {
  for (let id = 0; id < ITEMS; id += 1) {
    await subject.set(id, valueOf(id, 0));
    if (subject.setBytes !== undefined) await subject.setBytes(id, bytesOf(id));
  }
}

/** All over the keys, by no order that an engine could use. */
function spread(caller, turn) {
  return (caller * 97 + turn * 389) % ITEMS;
}
