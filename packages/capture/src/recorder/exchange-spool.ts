import type { GapRecord } from '../entries/gap';
import type { Exchange } from '../exchange';
import type { ShedReason } from './batch-processor';

/** What the spool knows of one exchange that it holds. */
export interface SpoolTicket {
  /** What was written, redacted: to be stored from memory instead of being read back. Whoever has queued it lets it go. */
  record: Buffer | undefined;
}

/** An exchange that was spooled before it was over. */
export interface HeldExchange {
  readonly ticket: SpoolTicket;
  /** False: what was spooled is no longer the whole truth. */
  readonly isCurrent: boolean;
}

export interface SpoolCounts {
  /** Held and not stored yet, in memory as well or not. */
  readonly spooled: number;
  /** Taken over from processes that are gone. */
  readonly recovered: number;
  /** Read back from the disk and stored. */
  readonly replayed: number;
  /** Damaged records that were passed over. */
  readonly corrupt: number;
  /** Read back, or to be read back, and never to be stored. */
  readonly shed: Readonly<Partial<Record<ShedReason, number>>>;
}

/** Keeps exchanges on the local disk, redacted, until they are stored. */
export interface ExchangeSpool {
  readonly counts: SpoolCounts;
  /** Share of its room that is used; 1 while it takes nothing. */
  readonly fill: number;
  /**
   * Redacts and writes one exchange before it returns.
   *
   * @throws when the disk has no room or fails
   */
  append(exchange: Exchange): SpoolTicket;
  /**
   * The same with several at once. `undefined` for each that could not be written, which is told of as a failure.
   *
   * @param onSpooled called for each that is written, at the moment from which it counts
   */
  appendAll(exchanges: readonly Exchange[], onSpooled: () => void): readonly (SpoolTicket | undefined)[];
  /** These are stored, or will never be. */
  done(tickets: readonly SpoolTicket[]): void;
  /** Nobody else will see to this one: it is to be read back and stored. */
  defer(ticket: SpoolTicket): void;
  /**
   * Takes over what dead processes left, and stores it from now on whenever it can.
   *
   * @param isTried whether somebody else finds out at the moment if a store that failed is back; default: nobody does
   */
  start(isTried?: () => boolean): void;
  /** Stores all that waits to be read back. @throws what the store fails with */
  drain(): Promise<void>;
  /** Writes gaps that cannot be stored any more to the disk, for the next process, before it returns. */
  leaveGaps(gaps: readonly GapRecord[]): void;
  /** Stores gaps that were left. @throws what `save` fails with; they stay then */
  takeGaps(save: (gaps: readonly GapRecord[]) => Promise<void>): Promise<void>;
  /** What is not stored stays on the disk for the next process. */
  close(): Promise<void>;
}
