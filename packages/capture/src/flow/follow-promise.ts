import { types } from 'node:util';

/**
 * Whether a promise can be followed: one of the language itself, of any realm. A subclass's may do more
 * than settle, and has one prototype more.
 */
export function isFollowable(value: unknown): value is Promise<unknown> {
  if (!types.isPromise(value) || Object.hasOwn(value, 'then')) return false;
  const above = Object.getPrototypeOf(Object.getPrototypeOf(value)) as object | null;
  return above !== null && Object.getPrototypeOf(above) === null;
}

/**
 * Tells how a promise settles. Returned is the one that follows, for the program to use instead: a mere
 * listener would hide a rejection that nobody handles. What hangs on the promise hangs on the other, too.
 */
export function followPromise(
  promise: Promise<unknown>,
  onValue: (value: unknown) => void,
  onError: (error: unknown) => void,
): Promise<unknown> {
  const following = promise.then(
    (value: unknown) => {
      onValue(value);
      return value;
    },
    (error: unknown) => {
      onError(error);
      throw error;
    },
  );
  // Symbols are left: Node keeps its own notes under some.
  for (const name of Object.getOwnPropertyNames(promise)) {
    const property = Object.getOwnPropertyDescriptor(promise, name);
    if (property !== undefined) Reflect.defineProperty(following, name, property);
  }
  return following;
}
