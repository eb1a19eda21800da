import { inspect } from 'node:util';
import { isProxy, isUint8Array } from 'node:util/types';
import { StorageError } from './errors';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Levels of arrays and objects within each other. Beyond about 1,000, engines refuse or overflow their stack. */
export const MAX_JSON_DEPTH = 500;

interface Container {
  readonly value: object;
  /** Of its members; an array has none. */
  readonly names: readonly string[] | undefined;
  readonly size: number;
  next: number;
  /** Members and elements of it and of all in it, as far as they have been visited. */
  parts: number;
  /** Levels that it takes. */
  height: number;
}

/**
 * Throws for what JSON text would lose or change: `undefined`, functions, symbols, bigint, NaN and infinities, dates
 * and other objects of a class, also arrays of one, holes in arrays and members besides their elements, members under
 * symbols and such as are not enumerable. `-0` is the one exception, and becomes `0`.
 *
 * @param maxParts members and elements, each of which takes a byte at least: few objects that refer to each other can
 *   unfold to more than any memory holds
 */
export function assertJson(root: unknown, maxParts = 2 ** 24): asserts root is JsonValue {
  if (plainParts(root, Math.min(maxParts, PLAIN_PARTS), PLAIN_DEPTH) >= 0) return;
  const open: Container[] = [];
  /** What was visited to its end: what refers to it again need not visit it again. */
  const known = new Map<unknown, Container>();
  let top = enter(root, open);
  let count = top.size;
  for (;;) {
    if (count > maxParts)
      throw new StorageError(
        'VALUE_TOO_LARGE',
        `The value has more than ${maxParts} parts. Store it in parts.`,
      );
    const inner = nextContainer(top);
    if (inner !== NONE) {
      const before = known.get(inner);
      if (before !== undefined && open.length + before.height <= MAX_JSON_DEPTH) {
        count += before.parts;
        add(before, top);
        continue;
      }
      top = enter(inner, open);
      count += top.size;
      continue;
    }
    open.pop();
    if (open.length === 0) return;
    if (top.parts >= WORTH_KNOWING) known.set(top.value, top);
    const outer = open[open.length - 1]!;
    add(top, outer);
    top = outer;
  }
}

/** Of fewer parts, many would be known, and each is visited again as quickly as it is found. */
const WORTH_KNOWING = 64;

function add({ parts, height }: Container, outer: Container): void {
  outer.parts += parts;
  outer.height = Math.max(outer.height, height + 1);
}

/** What almost all values stay within. */
const PLAIN_PARTS = 10_000;
const PLAIN_DEPTH = 8;

/**
 * How many of `parts` it leaves where it is JSON beyond doubt, or less than 0. It takes half the time of the search
 * for what is wrong, which looks at everything that is large, deep or of another realm.
 */
function plainParts(value: unknown, parts: number, depth: number): number {
  if (isScalar(value)) return parts;
  if (typeof value !== 'object' || value === null || depth === 0) return -1;
  // It costs some 50 ns; without it, members would be gone in silence.
  if (Object.getOwnPropertySymbols(value).length > 0) return -1;
  let left = parts;
  if (Array.isArray(value)) {
    if (value.length > left || Object.getPrototypeOf(value) !== Array.prototype) return -1;
    if (hasMembers(value)) return -1;
    for (let at = 0; at < value.length && left >= 0; at += 1)
      left = plainParts(value[at], left - 1, depth - 1);
    return left;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return -1;
  let names = 0;
  // Names that are inherited only make it look at more.
  for (const name in value) {
    names += 1;
    left = plainParts((value as Record<string, unknown>)[name], left - 1, depth - 1);
    if (left < 0) return -1;
  }
  return names === Object.getOwnPropertyNames(value).length ? left : -1;
}

/** What no value is. */
const NONE = Symbol('none');

/** The next part that is no scalar, and may hold others or be refused. */
function nextContainer(top: Container): unknown {
  const { names, size } = top;
  const value = top.value as Record<string | number, unknown>;
  for (let { next } = top; next < size; next += 1) {
    const part = value[names === undefined ? next : names[next]!];
    if (isScalar(part)) continue;
    top.next = next + 1;
    return part;
  }
  return NONE;
}

function isScalar(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    default:
      return value === null;
  }
}

function enter(value: unknown, open: Container[]): Container {
  if (typeof value !== 'object' || value === null) throw invalid(describe(value), open, adviceFor(value));
  if (open.length === MAX_JSON_DEPTH)
    throw invalid(`nested deeper than ${MAX_JSON_DEPTH} levels, or within itself`, open.slice(0, 3));
  const names = Array.isArray(value) ? undefined : namesOf(value, open);
  if (names === undefined) lookAtArray(value as readonly unknown[], open);
  // It costs some 50 ns; without it, members would be gone in silence.
  if (Object.getOwnPropertySymbols(value).length > 0) throw invalid('an object with symbols for names', open);
  const size = names === undefined ? (value as readonly unknown[]).length : names.length;
  const container = { value, names, size, next: 0, parts: size, height: 1 };
  open.push(container);
  return container;
}

function lookAtArray(array: readonly unknown[], open: readonly Container[]): void {
  const prototype: unknown = Object.getPrototypeOf(array);
  if (prototype !== Array.prototype && !isArrayPrototype(prototype)) throw invalid(describe(array), open);
  // A hole is found when it is visited.
  if (hasMembers(array)) throw invalid('an array with members besides its elements', open);
}

/** From here on, the names of an array's elements cost more than looking at it. */
const LONG = 1_000;
const ONLY_MEMBERS = {
  ...{ maxArrayLength: 0, depth: 0, showHidden: false, customInspect: false, getters: false, colors: false },
  breakLength: Infinity,
};

/**
 * Besides its elements. The names of a million of them take a second; that there are no others, the engine tells only
 * by way of `inspect`. Any other answer of it, as of a later version, has the names listed.
 */
function hasMembers(array: readonly unknown[]): boolean {
  const { length } = array;
  if (length > LONG && !isProxy(array) && inspect(array, ONLY_MEMBERS) === `[ ... ${length} more items ]`)
    return false;
  return Object.keys(array).length > length;
}

function namesOf(value: object, open: readonly Container[]): readonly string[] {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && !isObjectPrototype(prototype))
    throw invalid(describe(value), open, adviceFor(value));
  const names = Object.keys(value);
  if (Object.getOwnPropertyNames(value).length > names.length)
    throw invalid('an object with members that are not enumerable', open);
  return names;
}

/** Of another realm, such as a test runner's or a vm's, which has its own. */
function isArrayPrototype(prototype: unknown): boolean {
  return Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype));
}

/** As that of arrays; or none. */
function isObjectPrototype(prototype: unknown): boolean {
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const { constructor } = value as { constructor?: { name?: unknown } };
    return `an object of class ${String(constructor?.name)}`;
  }
  return typeof value === 'number' ? String(value) : typeof value;
}

function adviceFor(value: unknown): string | undefined {
  if (value === undefined) return 'Leave it out, or give null.';
  return isUint8Array(value)
    ? 'Bytes are a value by themselves, not a part of one: store them under a key of their own, or as base64.'
    : undefined;
}

/** With a JSON Pointer (RFC 6901) to what is being visited. */
function invalid(
  what: string,
  open: readonly Container[],
  advice = 'Convert it, or give bytes.',
): StorageError {
  const path = open.map(({ names, next }) => {
    const name = names === undefined ? String(next - 1) : (names[next - 1] ?? '');
    return `/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  });
  const place = path.length === 0 ? '' : ` at "${path.join('')}"`;
  return new StorageError('VALUE_INVALID', `The value${place} is ${what}, which JSON cannot hold. ${advice}`);
}
