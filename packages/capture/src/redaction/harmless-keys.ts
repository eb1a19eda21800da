/**
 * Keys of JSON objects that are known to be harmless, by a hash of their bytes; a later key takes the place of an
 * earlier one. Keys come in the same order again and again, so the one that came next the last time is tried first.
 */
export interface HarmlessKeys {
  /** As they were written: from their opening quote to the colon. */
  readonly written: (Uint8Array | undefined)[];
  /** For each key the one that came after it. */
  readonly following: Uint16Array;
  /** The key that was seen last. */
  last: number;
}

/** A power of two, so that a hash is cut to a slot by its bits. */
export const KEY_SLOTS = 1024;

export function createHarmlessKeys(): HarmlessKeys {
  return {
    written: Array.from({ length: KEY_SLOTS }, () => undefined),
    following: new Uint16Array(KEY_SLOTS),
    last: 0,
  };
}
