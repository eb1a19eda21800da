import type { Clock } from '../clock';
import type { FallbackEvent } from '../fallback/fallback-event';
import type { Environment } from './expand-references';
import type { FailureContext, Logger } from './storage-log';

/** What a program adds to the configuration. */
export interface StorageOptions {
  /** Told of slow operations, circuit breakers and fallbacks; default: a fallback is a warning of the process. */
  readonly logger?: Partial<Logger>;
  /** Told of every failure of a backend, also of those that reach no caller. Not of mistakes of the caller. */
  readonly onError?: (error: unknown, context: FailureContext) => void;
  /** Told what happens while a backend is away. */
  readonly onFallback?: (event: FallbackEvent, context: Omit<FailureContext, 'operation'>) => void;
  /** Where `$NAME` in the configuration gets its value; default `process.env`. */
  readonly environment?: Environment;
  readonly clock?: Clock;
  /** Makes versions; ids have to sort by the time at which they were made. */
  readonly newId?: () => string;
  /** From 0 up to 1, for the waits between attempts; default `Math.random`. */
  readonly random?: () => number;
}
