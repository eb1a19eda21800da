import { tellProgram } from '../tell-program';

/** The part of pino's interface that is used; pino, Fastify's and most other loggers have it. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Where the failure was that `onError` is told of. */
export interface FailureContext {
  readonly role: 'cache' | 'database';
  /** The type of the backend. */
  readonly backend: string;
  /**
   * The operation, such as `set`; or what ran by itself: `sweep`, `connection`, `upkeep` of the engine, `fallback` when one
   * took over, `probe` whether the backend is back, `replay`.
   */
  readonly operation: string;
}

/** Tells a program what happens. Whatever its functions do, nothing is thrown. */
export class StorageLog {
  readonly #logger: Partial<Logger> | undefined;
  readonly #onError: ((error: unknown, context: FailureContext) => void) | undefined;

  constructor(
    logger: Partial<Logger> | undefined,
    onError: ((error: unknown, context: FailureContext) => void) | undefined,
  ) {
    this.#logger = logger;
    this.#onError = onError;
  }

  failed(error: unknown, context: FailureContext): void {
    tellProgram(() => this.#onError?.(error, context));
  }

  debug(details: object, message: string): void {
    tellProgram(() => this.#logger?.debug?.(details, message));
  }

  info(details: object, message: string): void {
    tellProgram(() => this.#logger?.info?.(details, message));
  }

  warn(details: object, message: string): void {
    tellProgram(() => this.#logger?.warn?.(details, message));
  }

  /** A warning that is seen without a logger too: then the process gives it. */
  alert(details: object, message: string): void {
    if (this.#logger?.warn === undefined) process.emitWarning(message, { type: 'RecapWarning' });
    else this.warn(details, message);
  }

  error(details: object, message: string): void {
    tellProgram(() => this.#logger?.error?.(details, message));
  }
}
