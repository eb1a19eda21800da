/** Code points that are characters, in their order, without the gap of the surrogates. */
const CHARACTERS = 0x110000 - 0x800;

const characterAt = (place: number): string => String.fromCodePoint(place < 0xd800 ? place : place + 0x800);

/**
 * The first string, in the order of UTF-8 bytes, that is not before these bytes, which need not be those of a string;
 * absent when all are before. So strings from (or below) the one are those from (or below) the other.
 */
export function firstStringFrom(bytes: Buffer): string | undefined {
  const whole = bytes.toString();
  if (Buffer.from(whole).equals(bytes)) return whole;
  let at = 0;
  for (let size = sizeAt(bytes, at); size > 0; size = sizeAt(bytes, at)) at += size;
  const rest = bytes.subarray(at);
  const before = bytes.subarray(0, at).toString();
  const next = firstCharacterFrom(rest);
  return next === undefined ? behindAll(before) : before + next;
}

/** How many bytes the character there takes, or 0 where there is none that is whole. */
function sizeAt(bytes: Buffer, at: number): number {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size += 1) {
    const piece = bytes.subarray(at, at + size);
    const text = piece.toString();
    if (Array.from(text).length === 1 && Buffer.from(text).equals(piece)) return size;
  }
  return 0;
}

function firstCharacterFrom(bytes: Buffer): string | undefined {
  let [low, high] = [0, CHARACTERS];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Buffer.compare(Buffer.from(characterAt(middle)), bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low === CHARACTERS ? undefined : characterAt(low);
}

/** The first string behind all that begin with this one. */
function behindAll(text: string): string | undefined {
  const characters = Array.from(text);
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const point = last.codePointAt(0)!;
    if (point === 0x10ffff) continue;
    return characters.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}
