import type { Address } from '../backend';
import type { Clock } from '../clock';
import type { CopyCounts } from './copy-counts';
import type { ExistingPolicy } from './piece-writer';

/** What a copy does: looks for what will not fit, copies, reads both sides again. */
export type CopyPhase = 'measure' | 'copy' | 'verify';

export interface CopyProgress {
  readonly phase: CopyPhase;
  /** Values and lists that this phase is through with. */
  readonly items: number;
  readonly counts: CopyCounts;
  /** For `resumeFrom`; absent until something has been written. */
  readonly token?: string;
}

export interface CopyOptions {
  /** What is done where the target holds something already: `refuse` unless given. */
  readonly existing?: ExistingPolicy;
  /** `refuse` (the default) rejects, where it can before anything is written; `leaveOut` copies the rest. */
  readonly tooLarge?: 'refuse' | 'leaveOut';
  /**
   * The `token` of the last progress of a copy between the same two that did not come to its end. It is refused when the
   * first and last items that were copied are not in both any more.
   */
  readonly resumeFrom?: string;
  /** Reads both sides again in the end, and rejects if they are not the same; true unless given. */
  readonly verify?: boolean;
  /** Awaited, so that it may write the token away; often called. */
  readonly onProgress?: (progress: CopyProgress) => Promise<void> | void;
  /** Ends the copy between two steps; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface CopyResult extends CopyCounts {
  /** The first 100 that were too large, in this run. */
  readonly leftOut: readonly Address[];
  /** SHA-256 over what the source held when both were read again; absent without `verify`. */
  readonly digest?: string;
}
