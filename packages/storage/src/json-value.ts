import { StorageError } from './errors';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Levels of arrays and objects within each other. Beyond about 1,000, engines refuse or overflow their stack. */
export const MAX_JSON_DEPTH = 500;

interface Container {
  readonly value: object;
  readonly names: readonly string[] | undefined;
  readonly size: number;
  next: number;
}

/**
 * Throws for what JSON text would lose or change: `undefined`, functions, symbols, bigint, NaN and infinities, dates
 * and other objects of a class, holes in arrays. `-0` is the one exception, and becomes `0`.
 *
 * @param maxParts members and elements, each of which takes a byte at least: few objects that refer to each other can
 *   unfold to more than any memory holds
 */
export function assertJson(root: unknown, maxParts = 2 ** 24): asserts root is JsonValue {
  if (plainParts(root, Math.min(maxParts, PLAIN_PARTS), PLAIN_DEPTH) >= 0) return;
  const open: Container[] = [];
  enter(root, open);
  let parts = 0;
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.size) {
      open.pop();
      continue;
    }
    const at = top.next++;
    if (++parts > maxParts)
      throw new StorageError(
        'VALUE_TOO_LARGE',
        `The value has more than ${maxParts} parts. Store it in parts.`,
      );
    const name = top.names === undefined ? at : top.names[at];
    const value = (top.value as Record<string | number, unknown>)[name as string];
    if (!isScalar(value)) enter(value, open);
  }
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
  let left = parts;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && left >= 0; at += 1)
      left = plainParts(value[at], left - 1, depth - 1);
    return left;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return -1;
  // Names that are inherited only make it look at more.
  for (const name in value) {
    left = plainParts((value as Record<string, unknown>)[name], left - 1, depth - 1);
    if (left < 0) return -1;
  }
  return left;
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

function enter(value: unknown, open: Container[]): void {
  if (typeof value !== 'object' || value === null) throw invalid(describe(value), open);
  if (open.length === MAX_JSON_DEPTH)
    throw invalid(`nested deeper than ${MAX_JSON_DEPTH} levels, or within itself`, open.slice(0, 3));
  if (Array.isArray(value)) {
    open.push({ value, names: undefined, size: value.length, next: 0 });
    return;
  }
  // Compared by what it inherits, not by identity: another realm (a test runner's, a vm's) has its own Object.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw invalid(describe(value), open);
  const names = Object.keys(value);
  open.push({ value, names, size: names.length, next: 0 });
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const { constructor } = value as { constructor?: { name?: unknown } };
    return `an object of class ${String(constructor?.name)}`;
  }
  return typeof value === 'number' ? String(value) : typeof value;
}

/** JSON Pointer (RFC 6901) to what is being visited. */
function invalid(what: string, open: readonly Container[]): StorageError {
  const path = open.map(({ names, next }) => {
    const name = names === undefined ? String(next - 1) : (names[next - 1] ?? '');
    return `/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  });
  return new StorageError(
    'VALUE_INVALID',
    `The value at "${path.join('')}" is ${what}, which JSON cannot hold. Convert it, or give bytes.`,
  );
}
