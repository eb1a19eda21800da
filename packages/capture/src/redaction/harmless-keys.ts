/** Keys known to be harmless, by a hash of their bytes; a later key takes the place of an earlier one. */
export type HarmlessKeys = (Uint8Array | undefined)[];

/** A power of two, so that a hash is cut to a slot by its bits. */
export const KEY_SLOTS = 1024;

export function createHarmlessKeys(): HarmlessKeys {
  return Array.from({ length: KEY_SLOTS }, () => undefined);
}
