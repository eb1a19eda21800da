export type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Puts a method on the object itself in place of the one that it has, so that the object stays the one
 * it was and everybody who calls it by name is seen.
 *
 * @returns puts things back as they were; `undefined` when the object takes no such method, and nothing was done.
 */
export function replaceMethod(
  target: object,
  key: PropertyKey,
  make: (original: Method) => Method,
): (() => void) | undefined {
  const own = Object.getOwnPropertyDescriptor(target, key);
  const isOpen =
    own === undefined ? Object.isExtensible(target) : own.configurable === true && 'value' in own;
  if (!isOpen) return undefined;
  const original = (target as Record<PropertyKey, unknown>)[key] as Method;
  const method = make(original);
  for (const name of ['name', 'length'] as const) {
    Object.defineProperty(method, name, { value: original[name], configurable: true });
  }
  const enumerable = own?.enumerable ?? false;
  Object.defineProperty(target, key, { value: method, writable: true, configurable: true, enumerable });
  return () => {
    // Somebody may have put another one above.
    if (Object.getOwnPropertyDescriptor(target, key)?.value !== method) return;
    if (own !== undefined) Object.defineProperty(target, key, own);
    else Reflect.deleteProperty(target, key);
  };
}
