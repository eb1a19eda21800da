import type { Clock } from '../clock';
import type { FallbackEvent } from '../fallback/fallback-event';
import { handedIn } from '../options/config-schemas';
import { functionOf, programShape } from '../options/program-shape';
import type { Environment } from './expand-references';
import type { FailureContext, Logger } from './storage-log';

/** What a program adds to the configuration. */
export interface StorageOptions {
  /** Told of slow operations, circuit breakers and fallbacks; default: a fallback is a warning of the process. */
  readonly logger?: Partial<Logger>;
  /**
   * Told of every failure of a backend, also of those that reach no caller. Not of mistakes of the caller, nor of calls that
   * a circuit breaker or a fallback refuses for a failure that was told.
   */
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

const { clock, newId, onError } = programShape;

/** The options by their names and kinds. */
export const optionsShape = {
  ...{ clock, newId, onError },
  logger: handedIn('a logger: an object with warn() and others').optional(),
  onFallback: functionOf(' that is told of fallbacks').optional(),
  environment: handedIn('an object, such as process.env').optional(),
  random: functionOf(' that gives a number from 0 up to 1').optional(),
} satisfies Record<keyof StorageOptions, unknown>;
