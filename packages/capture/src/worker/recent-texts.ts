const SLOTS = 256;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Texts by their bytes, for those that come again and again, such as methods and owners: comparing a few bytes costs a
 * fifth of making a string of them, and all that is kept by texts finds one that was seen sooner.
 */
export class RecentTexts {
  readonly #slots: (Known | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The text that stands in `bytes` as UTF-8. */
  read(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return '';
    const slot =
      (length + 31 * bytes[from]! + 7 * bytes[from + (length >> 1)]! + 3 * bytes[to - 1]!) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && known.bytes.length === length && standsAt(bytes, from, known.bytes)) {
      return known.text;
    }
    const text = bytes.toString('utf8', from, to);
    this.#slots[slot] = { bytes: Uint8Array.prototype.slice.call(bytes, from, to), text };
    return text;
  }
}

function standsAt(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at += 1) if (wanted[at] !== bytes[from + at]) return false;
  return true;
}
