import { compareValues } from './bson-values.mjs';
import { ServerError } from './server-error.mjs';

/** An index of a collection: its documents in the order of some fields. */
export class SortedIndex {
  #entries = [];

  constructor(specification) {
    this.specification = specification;
    this.fields = Object.keys(specification.key);
  }

  fork() {
    const fork = new SortedIndex(this.specification);
    fork.#entries = [...this.#entries];
    return fork;
  }

  get isSparse() {
    return this.specification.sparse === true;
  }

  add(document) {
    const keys = this.#keysOf(document);
    if (this.specification.unique)
      for (const key of keys) {
        const there = this.#entries[this.#placeOf(key)];
        if (there !== undefined && compareKeys(there.key, key) === 0) throw this.#duplicate(key);
      }
    for (const key of keys) this.#entries.splice(this.#placeOf(key), 0, { key, document });
  }

  remove(document) {
    for (const key of this.#keysOf(document)) {
      let at = this.#placeOf(key);
      while (this.#entries[at].document !== document) at += 1;
      this.#entries.splice(at, 1);
    }
  }

  /**
   * Documents whose first fields are these, and whose next field lies within the bounds, in order.
   *
   * @param {unknown[]} equal
   * @param {{ $gt?, $gte?, $lt?, $lte? }} [bounds]
   */
  *read(equal, bounds, isReverse) {
    const from = this.#placeOf(
      bounds?.$gte === undefined
        ? bounds?.$gt === undefined
          ? equal
          : [...equal, bounds.$gt]
        : [...equal, bounds.$gte],
    );
    const behind = [
      ...equal,
      ...(bounds?.$lte !== undefined ? [bounds.$lte] : bounds?.$lt !== undefined ? [bounds.$lt] : []),
    ];
    const to =
      behind.length === 0
        ? this.#entries.length
        : this.#placeOf(behind, bounds?.$lte !== undefined || behind.length === equal.length);
    const found = this.#entries.slice(from, to);
    for (const { document } of isReverse ? found.reverse() : found) yield document;
  }

  /** The first place whose key is not before this one, of which the end may be missing; or, with `isBehind`, the first behind it. */
  #placeOf(key, isBehind = false) {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compareKeys(this.#entries[middle].key, key);
      if (order < 0 || (isBehind && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** One for each element, where a field is an array. */
  #keysOf(document) {
    if (this.isSparse && this.fields.every((field) => document[field] === undefined)) return [];
    const [first, ...rest] = this.fields.map((field) => document[field] ?? null);
    return (Array.isArray(first) ? first : [first]).map((value) => [value, ...rest]);
  }

  #duplicate(key) {
    const keyValue = Object.fromEntries(this.fields.map((field, at) => [field, key[at]]));
    const { name } = this.specification;
    return new ServerError(11_000, 'DuplicateKey', `E11000 duplicate key error index: ${name}`, {
      keyPattern: this.specification.key,
      keyValue,
    });
  }
}

/** As far as both go. */
function compareKeys(a, b) {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const order = compareValues(a[at], b[at]);
    if (order !== 0) return order;
  }
  return 0;
}
