import type { JsonValue } from '../../json-value';

/**
 * Levels within each other. The server takes 100, of which the item around a value and the command around the item
 * use some.
 *
 * @see https://www.mongodb.com/docs/manual/reference/limits/#bson-documents
 */
const MAX_DEPTH = 80;

/** Text up to this length never makes a document that is too large, however small its parts. */
const SMALL = 2 ** 20;

/** Every lone surrogate, as JSON text escapes it, and a backslash before the same letters: UTF-8 has no such. */
const SURROGATE = '\\ud';

/**
 * Whether BSON gives a value back as it was, and a path leads to each of its members: not where a name is empty,
 * begins with `$`, or holds a dot or NUL, nor where the driver would take an object for something else.
 *
 * @param json the value's text
 * @param maxBytes what it may take as BSON
 */
export function fitsBson(root: JsonValue, json: string, maxBytes: number): boolean {
  if (json.includes(SURROGATE)) return false;
  if (typeof root !== 'object' || root === null) return true;
  const isLarge = json.length > SMALL;
  const open: { value: object; depth: number }[] = [{ value: root, depth: 1 }];
  let bytes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (depth > MAX_DEPTH) return false;
    const names = Array.isArray(value) ? undefined : Object.keys(value);
    const size = names?.length ?? (value as readonly JsonValue[]).length;
    bytes += 5;
    for (let at = 0; at < size; at += 1) {
      const name = names?.[at] ?? at;
      if (typeof name === 'string' && !isPlainName(name)) return false;
      const member = (value as Readonly<Record<string | number, JsonValue>>)[name];
      if (isLarge) {
        bytes += 2 + Buffer.byteLength(String(name));
        bytes += typeof member === 'string' ? 5 + Buffer.byteLength(member) : 8;
        if (bytes > maxBytes) return false;
      }
      if (typeof member === 'object' && member !== null) open.push({ value: member, depth: depth + 1 });
    }
  }
  return true;
}

/** Whether a member of that name can be stored, found by a path, and is nothing but a member to the driver. */
export function isPlainName(name: string): boolean {
  return (
    name !== '' &&
    !name.startsWith('$') &&
    !name.includes('.') &&
    !name.includes('\0') &&
    name !== '__proto__' &&
    name !== '_bsontype'
  );
}
