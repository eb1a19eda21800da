import type { Address } from '../backend';

/** What a copy has done so far, what an earlier run of it did included. */
export interface CopyCounts {
  /** Values that are in the target now, those that had come there before included. */
  readonly values: number;
  readonly lists: number;
  /** Of these lists. */
  readonly elements: number;
  /** Of these values and elements, as JSON text or bytes. */
  readonly bytes: number;
  /** Values and lists that the target had of its own, and keeps. */
  readonly kept: number;
  /** Expired before they could be written. */
  readonly expired: number;
  /** Values and lists that are too large for the target, and were left out. */
  readonly tooLarge: number;
}

/** Addresses that are told; beyond it they are only counted. */
export const MAX_TOLD = 100;

/** Counts while it goes on. */
export class CopyTally {
  readonly #counts: { -readonly [Name in keyof CopyCounts]: number };
  readonly #tooLarge: Address[] = [];

  constructor(before: CopyCounts = NOTHING) {
    this.#counts = { ...before };
  }

  get counts(): CopyCounts {
    return { ...this.#counts };
  }

  /** The first of them, in this run. */
  get tooLarge(): readonly Address[] {
    return this.#tooLarge;
  }

  add(name: keyof CopyCounts, count = 1): void {
    this.#counts[name] += count;
  }

  addTooLarge({ partition, key }: Address): void {
    this.add('tooLarge');
    if (this.#tooLarge.length < MAX_TOLD) this.#tooLarge.push({ partition, key });
  }
}

const NOTHING: CopyCounts = {
  ...{ values: 0, lists: 0, elements: 0, bytes: 0, kept: 0, expired: 0, tooLarge: 0 },
};
