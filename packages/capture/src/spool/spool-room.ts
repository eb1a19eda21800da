import { StorageError } from '@recap/storage';
import { SEGMENT_BYTES } from './journal';
import type { SpoolFiles } from './spool-files';

/** After a refusal the disk is asked again no sooner. */
const REFUSED_FOR_MS = 1_000;

export interface SpoolLimits {
  readonly path: string;
  readonly maxBytes: number;
  readonly minFreeDiskBytes: number;
}

/** How much a spool may still take. */
export class SpoolRoom {
  readonly #limits: SpoolLimits;
  readonly #files: SpoolFiles;
  readonly #usedBytes: () => number;
  #refusedUntil = -Infinity;

  constructor(limits: SpoolLimits, files: SpoolFiles, usedBytes: () => number) {
    this.#limits = limits;
    this.#files = files;
    this.#usedBytes = usedBytes;
  }

  /** Share that is used; 1 while it was full a moment ago. */
  get fill(): number {
    if (performance.now() < this.#refusedUntil) return 1;
    return Math.min(1, this.#usedBytes() / this.#limits.maxBytes);
  }

  /** Room is reserved by segments: a small spool has small ones, or none would ever fit. */
  get segmentBytes(): number {
    return Math.max(1, Math.min(SEGMENT_BYTES, Math.floor(this.#limits.maxBytes / 8)));
  }

  /** @throws {StorageError} `UNAVAILABLE` when the limits leave no room for so much more */
  reserve(bytes: number): void {
    const { maxBytes, minFreeDiskBytes, path } = this.#limits;
    const now = performance.now();
    const refusal = (reason: string): StorageError =>
      new StorageError('UNAVAILABLE', `The spool in ${path} takes no more: ${reason}.`);
    // What is refused meanwhile does not put the next look off, or a busy program would never look again.
    if (now < this.#refusedUntil) throw refusal('it was full a moment ago');
    const refuse = (reason: string): never => {
      this.#refusedUntil = now + REFUSED_FOR_MS;
      throw refusal(reason);
    };
    const used = this.#usedBytes();
    if (used + bytes > maxBytes) refuse(`it holds ${used} of ${maxBytes} bytes`);
    const free = this.#files.freeBytesBlocking(path);
    if (free - bytes < minFreeDiskBytes) refuse(`${free} bytes are free on the disk`);
  }
}
