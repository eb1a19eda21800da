import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { FLOW_MARKS, flowKind } from '../flow-kind';

/** How much of a value is taken over. */
export interface PlainLimits {
  /** Containers within containers; what is deeper becomes `"[Truncated]"`. 64 unless told. */
  readonly maxDepth?: number;
  /** Keys and elements in all; what is beyond becomes `"[Truncated]"`. 10,000 unless told. */
  readonly maxItems?: number;
  /** Characters of all strings and keys; a string beyond becomes `"[Truncated]"`. 1,048,576 unless told. */
  readonly maxText?: number;
}

const CIRCULAR = '[Circular]';
const UNREADABLE = '[Unreadable]';
const TRUNCATED = '[Truncated]';

const UNFIT_FOR_STORING = /[\0\p{Surrogate}]/gu;
const ANY_UNFIT = /[\0\p{Surrogate}]/u;

/**
 * A copy of any value that is nothing but JSON: never throws, changes nothing in the value, asks each
 * getter at most once, and does not recurse.
 *
 * What is within itself becomes `"[Circular]"`; what throws when it is read, `"[Unreadable]"`. A BigInt
 * becomes its digits, a `Date` its ISO 8601 form, an `Error` its name, message and own properties, a
 * `Map` an object or a list of pairs, a `Set` a list, bytes
 * `{ byteLength, sha256 }`, since nothing in them can be redacted; streams, promises and the like a mark
 * such as `"[Stream]"`. What JSON cannot say (`undefined`, functions, symbols) is left out of objects and is null in
 * lists. `toJSON` is honoured. Strings and keys come out well-formed and without NUL.
 *
 * @returns `undefined` when the value itself is one that JSON cannot say
 */
export function toPlain(value: unknown, limits: PlainLimits = {}): unknown {
  return new PlainCopy(limits).copy(value);
}

type Plain = Record<string, unknown> | unknown[];

interface Frame {
  readonly source: object;
  readonly target: Plain;
  /** Keys of an object; `undefined` for a list. */
  readonly keys: readonly string[] | undefined;
  readonly length: number;
  readonly read: (at: number) => unknown;
  at: number;
}

const NOTHING = Symbol('what JSON cannot say');
/** Bytes of one value beyond this are not hashed: the program's time is worth more than their digest. */
const MAX_HASHED_BYTES = 1_048_576;

class PlainCopy {
  private readonly maxDepth: number;
  private itemsLeft: number;
  private textLeft: number;
  private hashableBytesLeft = MAX_HASHED_BYTES;
  private readonly frames: Frame[] = [];
  private readonly ancestors = new Set<object>();

  constructor(limits: PlainLimits) {
    this.maxDepth = limits.maxDepth ?? 64;
    this.itemsLeft = limits.maxItems ?? 10_000;
    this.textLeft = limits.maxText ?? 1_048_576;
  }

  copy(value: unknown): unknown {
    const result = this.begin(value);
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      if (frame.at >= frame.length) {
        this.frames.pop();
        this.ancestors.delete(frame.source);
        continue;
      }
      const at = frame.at;
      frame.at += 1;
      const key = frame.keys?.[at] ?? '';
      if (this.itemsLeft <= 0 || this.textLeft <= 0 || key.length > this.textLeft) {
        put(frame, key.slice(0, MAX_LAST_KEY), TRUNCATED);
        frame.at = frame.length;
        continue;
      }
      this.itemsLeft -= 1;
      this.textLeft -= key.length;
      put(frame, key, this.element(frame, at));
    }
    return result === NOTHING ? undefined : result;
  }

  private element(frame: Frame, at: number): unknown {
    // What belongs to the host may throw anything from anywhere: proxies, getters, `toJSON`.
    try {
      return this.begin(frame.read(at));
    } catch {
      return UNREADABLE;
    }
  }

  /** The plain form of a value; a container's is empty yet, and its frame on the stack. */
  private begin(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return Number.isFinite(value) ? value : null;
      case 'boolean':
        return value;
      case 'bigint':
        return this.digits(value);
      case 'object':
        if (value === null) return null;
        try {
          return this.beginObject(value);
        } catch {
          return UNREADABLE;
        }
      default:
        return NOTHING;
    }
  }

  private text(text: string): string {
    if (text.length > this.textLeft) {
      this.textLeft = Math.max(0, this.textLeft - TRUNCATED.length);
      return TRUNCATED;
    }
    this.textLeft -= text.length;
    return fit(text);
  }

  /** Writing a number of a million digits takes a second. */
  private digits(value: bigint): string {
    return BigInt.asIntN(MAX_BIGINT_BITS, value) === value ? this.text(value.toString()) : TRUNCATED;
  }

  private beginObject(source: object): unknown {
    if (this.ancestors.has(source)) return CIRCULAR;
    const simple = this.simpleForm(source);
    if (simple !== NOTHING) return simple;

    // Read here once, and not again among the keys.
    const toJson: unknown = (source as { toJSON?: unknown }).toJSON;
    if (typeof toJson === 'function') {
      const said: unknown = Reflect.apply(toJson, source, ['']);
      if (typeof said !== 'object' || said === null) return this.begin(said);
      if (said !== source) {
        if (this.ancestors.has(said)) return CIRCULAR;
        const form = this.simpleForm(said);
        return form !== NOTHING ? form : this.push(said, NOTHING);
      }
    }
    return this.push(source, toJson);
  }

  /** The form of an object that has no parts of its own; {@link NOTHING} for all others. */
  private simpleForm(source: object): unknown {
    if (isPlainContainer(source)) return NOTHING;
    if (source instanceof Date) return Number.isNaN(source.getTime()) ? null : source.toISOString();
    if (source instanceof RegExp || source instanceof URL || source instanceof URLSearchParams) {
      return this.text(String(source));
    }
    if (source instanceof String || source instanceof Number || source instanceof Boolean) {
      const value: unknown = source.valueOf();
      return typeof value === 'string' ? this.text(value) : value;
    }
    if (source instanceof Uint8Array) return this.bytesForm(source);
    if (source instanceof ArrayBuffer) return this.bytesForm(new Uint8Array(source));
    const flow = flowKind(source);
    return flow === undefined ? NOTHING : FLOW_MARKS[flow];
  }

  private bytesForm(bytes: Uint8Array): Record<string, unknown> {
    const { byteLength } = bytes;
    if (byteLength > this.hashableBytesLeft) return { byteLength };
    this.hashableBytesLeft -= byteLength;
    return { byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  /** @param toJson the property of that name; {@link NOTHING} when it was not read yet. */
  private push(source: object, toJson: unknown): unknown {
    if (this.frames.length >= this.maxDepth) return TRUNCATED;
    const frame = frameOf(source, toJson, this.itemsLeft + 1);
    this.ancestors.add(source);
    this.frames.push(frame);
    return frame.target;
  }
}

const MAX_BIGINT_BITS = 4_096;
/** Of the key at which a copy stops. */
const MAX_LAST_KEY = 1_000;

/** An object or a list as literals make them, which most are; a proxy's traps are not called to find out. */
function isPlainContainer(source: object): boolean {
  if (types.isProxy(source)) return false;
  const prototype = Object.getPrototypeOf(source) as unknown;
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

/** @param maxParts more are not looked at, of containers that would have to be copied. */
function frameOf(source: object, toJson: unknown, maxParts: number): Frame {
  if (Array.isArray(source)) {
    const list = source as readonly unknown[];
    return listFrame(source, list.length, (at) => list[at]);
  }
  if (source instanceof Map) {
    const pairs = firstOf(source as Map<unknown, unknown>, maxParts);
    if (pairs.every((pair) => typeof pair[0] === 'string')) {
      return objectFrame(
        source,
        pairs.map((pair) => pair[0] as string),
        (at) => pairs[at]![1],
      );
    }
    return listFrame(source, pairs.length, (at) => pairs[at]);
  }
  if (source instanceof Set) {
    const elements = firstOf(source as Set<unknown>, maxParts);
    return listFrame(source, elements.length, (at) => elements[at]);
  }
  if (ArrayBuffer.isView(source) && !(source instanceof DataView)) {
    const numbers = source as Float64Array;
    return listFrame(source, numbers.length, (at) => numbers[at]);
  }
  const record = source as Record<string, unknown>;
  let keys = Object.keys(source);
  if (source instanceof Error)
    keys = [...new Set(['name', 'message', ...keys])].filter((key) => key !== 'stack');
  return objectFrame(source, keys, (at) => {
    const key = keys[at]!;
    return key === 'toJSON' && toJson !== NOTHING ? toJson : record[key];
  });
}

function firstOf<T>(elements: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const element of elements) {
    if (first.length >= count) break;
    first.push(element);
  }
  return first;
}

function listFrame(source: object, length: number, read: Frame['read']): Frame {
  return { source, target: [], keys: undefined, length, read, at: 0 };
}

function objectFrame(source: object, keys: readonly string[], read: Frame['read']): Frame {
  return { source, target: {}, keys, length: keys.length, read, at: 0 };
}

function put(frame: Frame, rawKey: string, value: unknown): void {
  if (Array.isArray(frame.target)) {
    frame.target.push(value === NOTHING ? null : value);
    return;
  }
  if (value === NOTHING) return;
  const key = fit(rawKey);
  // Assigning to it would change the object's prototype instead.
  if (key !== '__proto__') frame.target[key] = value;
  else {
    Object.defineProperty(frame.target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function fit(text: string): string {
  return ANY_UNFIT.test(text) ? text.replace(UNFIT_FOR_STORING, '\ufffd') : text;
}
