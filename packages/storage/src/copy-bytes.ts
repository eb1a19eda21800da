import { markAsUntransferable } from 'node:worker_threads';

const SLAB = 16 * 1_024;
/** Above it, memory of its own costs little beside the copying. */
const SHARED_UP_TO = 2_048;

let slab = new Uint8Array(0);
let used = 0;

/**
 * A copy of these bytes. Small ones lie side by side in one buffer, as those of `Buffer.allocUnsafe` do: memory of its
 * own for each would take five times as long as the copying.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > SHARED_UP_TO) return new Uint8Array(bytes);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB);
    // Transferring one value to another thread would take its neighbours away.
    markAsUntransferable(slab.buffer);
    used = 0;
  }
  slab.set(bytes, used);
  const copy = new Uint8Array(slab.buffer, used, length);
  used += length;
  return copy;
}
