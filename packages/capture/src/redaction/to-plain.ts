import { createHash } from 'node:crypto';
/** How much of a value is taken over. */
export interface PlainLimits {
  /** Containers within containers; what is deeper becomes `"[Truncated]"`. 64 unless told. */
  readonly maxDepth?: number;
  /** Keys and elements in all; what is beyond becomes `"[Truncated]"`. 10,000 unless told. */
  readonly maxItems?: number;
}

const CIRCULAR = '[Circular]';
const UNREADABLE = '[Unreadable]';
const TRUNCATED = '[Truncated]';

const UNFIT_FOR_STORING = /[\0\p{Surrogate}]/gu;

/**
 * A copy of any value that is nothing but JSON: never throws, changes nothing in the value, asks each
 * getter at most once, and does not recurse.
 *
 * What is within itself becomes `"[Circular]"`; what throws when it is read, `"[Unreadable]"`. A BigInt
 * becomes its digits, a `Date` its ISO 8601 form, an `Error` its name, message and own properties, a
 * `Map` an object or a list of pairs, a `Set` a list, bytes
 * `{ byteLength, sha256 }`, since nothing in them can be redacted. What JSON cannot say (`undefined`, functions, symbols) is left out of objects and is null in
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

class PlainCopy {
  private readonly maxDepth: number;
  private itemsLeft: number;
  private readonly frames: Frame[] = [];
  private readonly ancestors = new Set<object>();

  constructor(limits: PlainLimits) {
    this.maxDepth = limits.maxDepth ?? 64;
    this.itemsLeft = limits.maxItems ?? 10_000;
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
      if (this.itemsLeft <= 0) {
        put(frame, at, TRUNCATED);
        frame.at = frame.length;
        continue;
      }
      this.itemsLeft -= 1;
      put(frame, at, this.begin(attempt(() => frame.read(at))));
    }
    return result === NOTHING ? undefined : result;
  }

  /** The plain form of a value; a container's is empty yet, and its frame on the stack. */
  private begin(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return fit(value);
      case 'number':
        return Number.isFinite(value) ? value : null;
      case 'boolean':
        return value;
      case 'bigint':
        return value.toString();
      case 'object':
        return value === null ? null : attempt(() => this.beginObject(value));
      default:
        return NOTHING;
    }
  }

  private beginObject(source: object): unknown {
    if (this.ancestors.has(source)) return CIRCULAR;
    const simple = simpleForm(source);
    if (simple !== NOTHING) return simple;

    // Read here once, and not again among the keys.
    const own = Object.getOwnPropertyDescriptor(source, 'toJSON');
    const toJson: unknown = (source as { toJSON?: unknown }).toJSON;
    if (typeof toJson === 'function') {
      const said: unknown = Reflect.apply(toJson, source, ['']);
      if (typeof said !== 'object' || said === null) return this.begin(said);
      if (said !== source) {
        if (this.ancestors.has(said)) return CIRCULAR;
        const form = simpleForm(said);
        return form !== NOTHING ? form : this.push(said, undefined);
      }
    }
    return this.push(source, own === undefined ? undefined : { key: 'toJSON', value: toJson });
  }

  private push(
    source: object,
    known: { readonly key: string; readonly value: unknown } | undefined,
  ): unknown {
    if (this.frames.length >= this.maxDepth) return TRUNCATED;
    const frame = frameOf(source, known);
    this.ancestors.add(source);
    this.frames.push(frame);
    return frame.target;
  }
}

function frameOf(
  source: object,
  known: { readonly key: string; readonly value: unknown } | undefined,
): Frame {
  if (Array.isArray(source)) {
    const list = source as readonly unknown[];
    return listFrame(source, list.length, (at) => list[at]);
  }
  if (source instanceof Map) {
    const pairs = [...(source as Map<unknown, unknown>)];
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
    const elements = [...(source as Set<unknown>)];
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
  return objectFrame(source, keys, (at) => (known?.key === keys[at] ? known?.value : record[keys[at]!]));
}

function listFrame(source: object, length: number, read: Frame['read']): Frame {
  return { source, target: [], keys: undefined, length, read, at: 0 };
}

function objectFrame(source: object, keys: readonly string[], read: Frame['read']): Frame {
  return { source, target: {}, keys, length: keys.length, read, at: 0 };
}

/** The form of an object that has no parts of its own; {@link NOTHING} for all others. */
function simpleForm(source: object): unknown {
  if (source instanceof Date) return Number.isNaN(source.getTime()) ? null : source.toISOString();
  if (source instanceof RegExp || source instanceof URL || source instanceof URLSearchParams) {
    return fit(String(source));
  }
  if (source instanceof String || source instanceof Number || source instanceof Boolean) {
    const value: unknown = source.valueOf();
    return typeof value === 'string' ? fit(value) : value;
  }
  if (source instanceof Uint8Array) return bytesForm(source);
  if (source instanceof ArrayBuffer) return bytesForm(new Uint8Array(source));
  return NOTHING;
}

/** Beyond this bytes are not hashed: the program's time is worth more than their digest. */
const MAX_HASHED_BYTES = 1_048_576;

function bytesForm(bytes: Uint8Array): Record<string, unknown> {
  const { byteLength } = bytes;
  if (byteLength > MAX_HASHED_BYTES) return { byteLength };
  return { byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function put(frame: Frame, at: number, value: unknown): void {
  if (Array.isArray(frame.target)) {
    frame.target.push(value === NOTHING ? null : value);
    return;
  }
  if (value === NOTHING) return;
  // Assigning to `__proto__` would change the object's prototype instead.
  Object.defineProperty(frame.target, fit(frame.keys![at]!), {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** What belongs to the host may throw anything from anywhere: proxies, getters, `toJSON`. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return UNREADABLE;
  }
}

function fit(text: string): string {
  return text.replace(UNFIT_FOR_STORING, '\ufffd');
}
