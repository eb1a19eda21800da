import type { Payload } from '../recorder/spooled-entry';
import { RECORD_HEADER_BYTES, sealRecord } from './segment-format';

const SLAB_BYTES = 64 * 1024;

/**
 * Records that go to the disk with one write, one behind the other in memory. What was written stays where it is, for
 * those who hold it: the next go behind it, and when the slab is full, into another.
 */
export class RecordGroup {
  #slab = Buffer.allocUnsafe(0);
  #start = 0;
  #end = 0;
  /** Where each ends, counted from the start of the group. */
  readonly #ends: number[] = [];

  /** Bytes of the records so far. */
  get length(): number {
    return this.#end - this.#start;
  }

  begin(): void {
    this.#end = this.#start;
    this.#ends.length = 0;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#end + bytes <= this.#slab.length;
  }

  /** Call when the group is empty. */
  makeRoomFor(bytes: number): void {
    if (this.hasRoomFor(bytes)) return;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#start = 0;
    this.#end = 0;
  }

  /** Call when there is room for it. */
  add(kind: number, payload: Payload): void {
    const at = this.#end + RECORD_HEADER_BYTES;
    this.#slab[at] = kind;
    this.#end = payload.writeTo(this.#slab, at + 1);
    this.#ends.push(this.length);
  }

  /** @returns the bytes of all */
  seal(syncWord: Buffer): Buffer {
    let from = this.#start;
    for (const end of this.#ends) {
      sealRecord(this.#slab.subarray(from, this.#start + end), syncWord);
      from = this.#start + end;
    }
    return this.#slab.subarray(this.#start, this.#end);
  }

  /** The records, each with its header; an empty group is begun behind them. */
  take(): Buffer[] {
    let from = this.#start;
    const records = this.#ends.map((end) => {
      const record = this.#slab.subarray(from, this.#start + end);
      from = this.#start + end;
      return record;
    });
    this.#start = this.#end;
    this.#ends.length = 0;
    return records;
  }
}
