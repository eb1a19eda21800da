import type { Item, Write } from '../backend';

/** What happens while a backend is away, in the order in which it happens. */
export type FallbackEvent =
  | {
      /** Another backend has taken over. */
      readonly type: 'degraded';
      readonly from: string;
      readonly to: string;
      readonly error: unknown;
    }
  | {
      /** The backend is back, and has what was written meanwhile. */
      readonly type: 'recovered';
      readonly to: string;
      /** Writes that were applied. */
      readonly replayed: number;
      /** Writes that were not, each told as a `conflict` before. */
      readonly conflicts: number;
      readonly degradedMs: number;
    }
  | {
      /**
       * A write was not applied: somebody else has written there later, and that stays (`theirs`), or the backend
       * does not take it (`error`). It is nowhere else any more.
       */
      readonly type: 'conflict';
      readonly write: Write;
      readonly theirs?: Item;
      readonly error?: unknown;
    }
  | {
      /** Writes could not be replayed and are left where they are: on disk for the next start, or, in memory, lost. */
      readonly type: 'unreplayed';
      readonly in: string;
      readonly writes: number;
      readonly isLost: boolean;
    };

/** Which backend serves, and what waits to be replayed. */
export interface FallbackState {
  readonly servedBy: string;
  readonly isDegraded: boolean;
  /** Ms since the epoch. */
  readonly degradedSince?: number;
  readonly pendingWrites: number;
}
