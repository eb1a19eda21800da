import type { Address, KeyRange } from './backend';
import { StorageError } from './errors';
import { isWellFormed } from './well-formed';

const MAX_NAME_BYTES = 1024;

/** @throws {StorageError} `KEY_INVALID` unless both are 1 to 1,024 bytes of UTF-8 */
export function checkAddress(address: Address | null | undefined): asserts address is Address {
  if (typeof address !== 'object' || address === null)
    throw new StorageError('KEY_INVALID', 'An address is { partition, key }.');
  checkName(address.partition, 'partition');
  checkName(address.key, 'key');
}

/** @throws {StorageError} `KEY_INVALID` */
export function checkName(name: unknown, what: string): asserts name is string {
  if (typeof name === 'string' && name.length > 0 && isShort(name) && isWellFormed(name)) return;
  throw new StorageError('KEY_INVALID', `A ${what} must be 1 to 1,024 bytes of UTF-8; ${described(name)}.`);
}

function isShort(name: string): boolean {
  return name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

function described(name: unknown): string {
  if (typeof name !== 'string') return `this one is of type ${typeof name}`;
  if (name === '') return 'this one is empty';
  if (!isWellFormed(name)) return 'this one holds half of a surrogate pair, which UTF-8 cannot';
  return `this one takes ${Buffer.byteLength(name)}`;
}

/** Bounds may be empty, and need to be no key: only well-formed. */
export function checkRange(range: KeyRange): void {
  for (const bound of ['gt', 'gte', 'lt', 'lte', 'prefix'] as const) checkText(range[bound], bound);
}

export function checkText(text: unknown, what: string): void {
  if (text === undefined) return;
  if (typeof text === 'string' && isShort(text) && isWellFormed(text)) return;
  throw new StorageError(
    'ARGUMENT_INVALID',
    `"${what}" must be a well-formed string of at most 1,024 bytes of UTF-8.`,
  );
}

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is an integer from 1 to `max` */
export function checkCount(count: unknown, what: string, max: number): void {
  checkInteger(count, what);
  if (count >= 1 && count <= max) return;
  throw new StorageError('ARGUMENT_INVALID', `"${what}" must be 1 to ${max}; it is ${count}.`);
}

/** @throws {StorageError} `ARGUMENT_INVALID` */
export function checkInteger(number: unknown, what: string): asserts number is number {
  if (Number.isSafeInteger(number)) return;
  throw new StorageError('ARGUMENT_INVALID', `"${what}" must be an integer; it is ${String(number)}.`);
}

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is absent or an instant after `now` */
export function checkExpiry(expiresAt: unknown, now: number): asserts expiresAt is number | undefined {
  if (expiresAt === undefined) return;
  checkInteger(expiresAt, 'expiresAt');
  if (expiresAt > now) return;
  throw new StorageError(
    'ARGUMENT_INVALID',
    `"expiresAt" must be an instant to come, in ms since the epoch; ${expiresAt} is ${now - expiresAt} ms ago.`,
  );
}

/** @throws {StorageError} `ARGUMENT_INVALID` */
export function checkVersion(version: unknown, what: string): asserts version is string | undefined {
  if (version === undefined) return;
  if (typeof version === 'string' && /^[!-~]{1,64}$/.test(version)) return;
  throw new StorageError('ARGUMENT_INVALID', `"${what}" must be 1 to 64 visible ASCII characters.`);
}

/** @throws {StorageError} `ARGUMENT_INVALID` */
export function checkArray(list: unknown, what: string): asserts list is readonly unknown[] {
  if (Array.isArray(list)) return;
  throw new StorageError('ARGUMENT_INVALID', `"${what}" must be an array; it is of type ${typeof list}.`);
}

/**
 * That nothing is ignored: a condition that is misspelt would be none.
 *
 * @throws {StorageError} `ARGUMENT_INVALID` for a name that is not among these
 */
export function checkNames(options: object, names: readonly string[], what: string): void {
  for (const name in options) {
    if (names.includes(name)) continue;
    const valid = names.map((each) => `"${each}"`).join(', ');
    throw new StorageError('ARGUMENT_INVALID', `${what} has no "${name}"; it has ${valid}.`);
  }
}

/** @throws {StorageError} `ARGUMENT_INVALID` for what is no object, or null */
export function checkObject(object: unknown, what: string): asserts object is object {
  if (typeof object === 'object' && object !== null) return;
  throw new StorageError('ARGUMENT_INVALID', `"${what}" must be an object; it is ${String(object)}.`);
}
