import type { BatchOutcome } from './batch-processor';
import { RecentFigures } from './recent-figures';
import type { RecorderStats } from './recorder';

/** What is known of the batches that were stored. */
export class FlushFigures {
  readonly #recent = new RecentFigures();
  readonly #listeners: ((tookMs: number) => void)[] = [];
  #bytesBefore = 0;
  #bytesAfter = 0;

  get stats(): Pick<RecorderStats, 'bytesBefore' | 'bytesAfter' | 'flushP95Ms'> {
    return {
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
      flushP95Ms: this.#recent.percentile(95) ?? null,
    };
  }

  /** @param listener called for each batch that was stored, with the time that took */
  listen(listener: (tookMs: number) => void): void {
    this.#listeners.push(listener);
  }

  note({ bytesBefore, bytesAfter }: Pick<BatchOutcome, 'bytesBefore' | 'bytesAfter'>, tookMs: number): void {
    this.#bytesBefore += bytesBefore;
    this.#bytesAfter += bytesAfter;
    this.#recent.note(tookMs);
    for (const listener of this.#listeners) listener(tookMs);
  }
}
