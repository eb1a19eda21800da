import { StorageError } from './errors';

/**
 * @param what a client of that kind is called
 * @param methods that it has, and what is easily taken for it has not
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function checkClient(client: unknown, what: string, methods: readonly string[]): void {
  if (client === undefined) return;
  const has = (name: string): boolean =>
    typeof (client as Readonly<Record<string, unknown>>)[name] === 'function';
  const missing = methods.find((name) => !has(name));
  if (missing === undefined) return;
  const reason = has('then') ? 'it is a promise; await it before' : `it has no ${missing}()`;
  throw new StorageError('CONFIG_INVALID', `"client" is not ${what}: ${reason}.`);
}
