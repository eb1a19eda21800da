import type { Clock } from '@recap/storage';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import type { EntryStore } from '../entries/entry-store';

/** What the router needs of a recorder. */
export interface RouterRecorder {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly normalizeEndpoint: NormalizeEndpoint;
  /** Age beyond which a session is not continued; default 24 h. */
  readonly sessionMaxAgeMs?: number;
  /** False while the store is not open, after a short wait for it; every data route answers 503 then. */
  isReady(): boolean | Promise<boolean>;
  /** False when nothing tells whose an exchange is. */
  knowsOwners(): boolean;
  /** True when it records, but not as it should: a fallback in use, exchanges being shed. */
  isDegraded(): boolean;
  /** Counters, in camel case. */
  stats(): object;
  /** Told of every failure that the one who asked does not get to see. */
  onError(error: unknown, where: string): void;
  /** Not called by reading: an answer shows what is in the store. */
  flush(): Promise<void>;
}
