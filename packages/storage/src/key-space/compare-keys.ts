const FIRST_SURROGATE = 0xd800;

/** The order of UTF-8 bytes, which `<` on strings is not: it puts U+FFFF behind U+1F600. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const a = one.charCodeAt(index);
    const b = other.charCodeAt(index);
    if (a !== b) return a >= FIRST_SURROGATE && b >= FIRST_SURROGATE ? rank(a) - rank(b) : a - b;
  }
  return one.length - other.length;
}

/** Surrogates stand for what lies beyond all other units. */
function rank(unit: number): number {
  return unit < 0xe000 ? unit + 0x10000 : unit;
}

const SURROGATE = /[\uD800-\uDFFF]/;

/** Sorts them in place. Without surrogates among them, the order of strings is that of bytes, and the engine's own. */
export function sortKeys(keys: string[]): string[] {
  return keys.some((key) => SURROGATE.test(key)) ? keys.sort(compareKeys) : keys.sort();
}
