import { Query } from 'mingo';
import { BSON } from 'mongodb';
import { applyUpdate, checkStorable } from './apply-update.mjs';
import { compareValues, isDocument, toOuter } from './bson-values.mjs';
import { badValue, ServerError } from './server-error.mjs';
import { SortedIndex } from './sorted-index.mjs';

const MAX_DOCUMENT_BYTES = 16 * 2 ** 20;

export class Collection {
  /** What it was created with; comparisons go by bytes all the same. */
  collation;
  #indexes = [new SortedIndex({ key: { _id: 1 }, name: '_id_', unique: true })];
  /** About what each document takes. */
  #sizes = new WeakMap();

  /** The documents that were written since this was forked, each with what was there when it was. */
  #changes = new Map();
  #isFork = false;

  fork() {
    const fork = new Collection();
    fork.#indexes = this.#indexes.map((index) => index.fork());
    fork.#sizes = this.#sizes;
    fork.#isFork = true;
    return fork;
  }

  written() {
    return [...this.#changes.values()];
  }

  byId(id) {
    const [document] = this.#indexes[0].read([id]);
    return document;
  }

  take(written) {
    for (const { before } of written) if (before !== undefined) this.#remove(before);
    for (const { after } of written) if (after !== undefined) this.#add(after);
  }

  get indexes() {
    return this.#indexes.map(({ specification }) => specification);
  }

  createIndex(specification) {
    const there = this.#indexes.find((index) => index.specification.name === specification.name);
    if (there !== undefined) {
      if (isSame(there.specification, specification)) return;
      throw new ServerError(
        86,
        'IndexKeySpecsConflict',
        `There is another index named ${specification.name}.`,
      );
    }
    const same = this.#indexes.find(({ specification: { key } }) => isSame(key, specification.key));
    if (same !== undefined)
      throw new ServerError(
        85,
        'IndexOptionsConflict',
        `Index already exists with a different name: ${same.specification.name}`,
      );
    const index = new SortedIndex(specification);
    for (const document of this.#indexes[0].read([])) index.add(document);
    this.#indexes.push(index);
  }

  /** @param {number} bytes what the message took that brought it */
  insert(document, bytes, isUpsert = false) {
    const whole = '_id' in document ? document : { _id: new BSON.ObjectId(), ...document };
    this.#check(whole, bytes, isUpsert ? 17_420 : 2);
    this.#add(whole);
    return whole;
  }

  *find(filter, { sort = {}, skip = 0, limit = 0 } = {}) {
    const query = compile(filter);
    const { documents, isOrdered } = this.#candidates(filter, sort);
    let found = matching(documents, query);
    if (!isOrdered) found = [...found].sort(comparator(sort));
    let at = 0;
    for (const document of found) {
      at += 1;
      if (at <= skip) continue;
      yield document;
      if (limit > 0 && at === skip + limit) return;
    }
  }

  /** @returns {{ before?: object, after?: object, isInserted: boolean, isChanged: boolean }} */
  update(filter, update, { upsert = false, sort = {}, bytes }) {
    const [before] = this.find(filter, { sort, limit: 1 });
    if (before === undefined) {
      if (!upsert) return { isInserted: false, isChanged: false };
      const seed = equalities(filter);
      const document = applyUpdate(seed, update, true);
      const after = this.insert(
        '_id' in document && document._id === undefined ? withoutId(document) : document,
        bytes,
        true,
      );
      return { after, isInserted: true, isChanged: true };
    }
    const after = applyUpdate(before, update);
    this.#check(after, bytes + (this.#sizes.get(before) ?? 0), 17_419);
    this.#remove(before);
    try {
      this.#add(after);
    } catch (error) {
      this.#add(before);
      throw error;
    }
    return { before, after, isInserted: false, isChanged: true };
  }

  delete(filter, { limit = 0, sort = {} } = {}) {
    const found = [...this.find(filter, { limit, sort })];
    for (const document of found) this.#remove(document);
    return found;
  }

  #add(document) {
    const done = [];
    try {
      for (const index of this.#indexes) {
        index.add(document);
        done.push(index);
      }
    } catch (error) {
      for (const index of done) index.remove(document);
      throw error;
    }
    this.#note(document, { after: document });
  }

  #remove(document) {
    for (const index of this.#indexes) index.remove(document);
    this.#note(document, { before: document, after: undefined });
  }

  #note({ _id }, { before, after }) {
    if (!this.#isFork) return;
    const name = String(_id);
    const there = this.#changes.get(name);
    this.#changes.set(name, { id: _id, before: there === undefined ? before : there.before, after });
  }

  #check(document, bytes, code) {
    checkStorable(document);
    let size = bytes;
    if (bytes > MAX_DOCUMENT_BYTES) size = BSON.calculateObjectSize(toOuter(document));
    if (size > MAX_DOCUMENT_BYTES)
      throw new ServerError(
        code,
        code === 2 ? 'BadValue' : `Location${code}`,
        `The document takes ${size} bytes, more than 16777216.`,
      );
    this.#sizes.set(document, size);
  }

  /** By the index that narrows most; in the order asked for, if that is its own. */
  #candidates(filter, sort) {
    const plans = this.#indexes.map((index) => planOf(index, filter, sort));
    const best = plans.reduce((one, other) => (other.worth > one.worth ? other : one));
    return { documents: best.read(), isOrdered: best.isOrdered };
  }
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function planOf(index, filter, sort) {
  const equal = [];
  for (const field of index.fields) {
    if (!hasEqual(filter, field)) break;
    equal.push(filter[field]);
  }
  const next = index.fields[equal.length];
  const bounds = isDocument(filter[next]) ? boundsOf(filter[next]) : undefined;
  const order = Object.entries(sort).filter(
    ([field]) => !index.fields.slice(0, equal.length).includes(field),
  );
  const following = index.fields.slice(equal.length, equal.length + order.length);
  const isOrdered =
    order.every(([field], at) => field === following[at]) && new Set(order.map(([, way]) => way)).size <= 1;
  const isOfAll =
    !index.isSparse || equal.length > 0 || bounds !== undefined || filter[index.fields[0]]?.$exists === true;
  const worth = !isOfAll
    ? -1
    : equal.length * 4 +
      (bounds === undefined ? 0 : 2) +
      (isOrdered ? 1 : 0) +
      (index.isSparse && filter[index.fields[0]]?.$exists ? 2 : 0);
  const isReverse = order[0]?.[1] === -1;
  // More than one document of an index may be under an array.
  return { worth, isOrdered, read: () => new Set(index.read(equal, bounds, isReverse)) };
}

function hasEqual(filter, field) {
  if (!(field in filter)) return false;
  const value = filter[field];
  return (
    value !== null &&
    !Array.isArray(value) &&
    (!isDocument(value) || Object.keys(value).every((name) => !name.startsWith('$')))
  );
}

function boundsOf(condition) {
  const names = Object.keys(condition).filter((name) => ['$gt', '$gte', '$lt', '$lte'].includes(name));
  // Of one type alone: an open end would reach into the others.
  const types = new Set(names.map((name) => typeof condition[name]));
  if (names.length === 0 || types.size > 1) return undefined;
  return Object.fromEntries(names.map((name) => [name, condition[name]]));
}

function* matching(documents, query) {
  for (const document of documents) if (query.test(document)) yield document;
}

function compile(filter) {
  try {
    return new Query(filter);
  } catch (error) {
    throw badValue(error.message);
  }
}

export function comparator(sort) {
  const order = Object.entries(sort);
  return (a, b) => {
    for (const [field, way] of order) {
      const found = compareValues(a[field], b[field]) * way;
      if (found !== 0) return found;
    }
    return 0;
  };
}

/** What an upsert takes from its filter. */
function equalities(filter) {
  const fields = {};
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and') Object.assign(fields, ...value.map(equalities));
    else if (name === '$or' && value.length === 1) Object.assign(fields, equalities(value[0]));
    else if (name.startsWith('$')) continue;
    else if (!isDocument(value) || !Object.keys(value)[0]?.startsWith('$')) fields[name] = value;
    else if ('$eq' in value) fields[name] = value.$eq;
  }
  return fields;
}

function withoutId({ _id: _, ...rest }) {
  return rest;
}
