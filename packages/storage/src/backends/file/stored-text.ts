import type { StoredValue } from '../../driver';

/** As a member of an object: JSON as it is, bytes in Base64. */
export function valueMember(value: StoredValue): string {
  return typeof value === 'string' ? `"value":${value}` : `"base64":"${toBase64(value)}"`;
}

/** As members of an object; the places of bytes among them are told beside them. */
export function valuesMembers(values: readonly StoredValue[]): string {
  const texts = values.map((value) => (typeof value === 'string' ? value : `"${toBase64(value)}"`));
  const places = values.flatMap((value, index) => (typeof value === 'string' ? [] : [index]));
  const base64 = places.length === 0 ? '' : `"base64":[${places.join(',')}],`;
  return `${base64}"values":[${texts.join(',')}]`;
}

/** How long it is at most as one of a list's, with what is told beside. */
export function mostBytes(value: StoredValue): number {
  return typeof value === 'string'
    ? Buffer.byteLength(value) + 1
    : Math.ceil(value.byteLength / 3) * 4 + BESIDE_BASE64;
}

/** Quotes, commas, and the place in digits. */
const BESIDE_BASE64 = 16;

export function readValue(object: Readonly<Record<string, unknown>>): StoredValue | undefined {
  const { base64 } = object;
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  // Parsed and written again, JSON of `JSON.stringify` is the same text.
  return 'value' in object ? JSON.stringify(object['value']) : undefined;
}

export function readValues(object: Readonly<Record<string, unknown>>): StoredValue[] | undefined {
  const { values, base64 = [] } = object;
  if (!Array.isArray(values) || !Array.isArray(base64)) return undefined;
  const places = new Set<unknown>(base64);
  return values.map((value: unknown, index) =>
    places.has(index) ? Buffer.from(String(value), 'base64') : JSON.stringify(value),
  );
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
