import { errorCode } from '@recap/storage';
import type { Logger } from './recorder-options';

/** Where Recap's own failures go: a counter, the program's `onError`, and one warning for each kind. */
export class FailureLog {
  readonly #logger: Logger | undefined;
  readonly #onError: ((error: unknown, where: string) => void) | undefined;
  readonly #told = new Set<string>();
  #count = 0;

  constructor(logger: Logger | undefined, onError: ((error: unknown, where: string) => void) | undefined) {
    this.#logger = logger;
    this.#onError = onError;
  }

  get count(): number {
    return this.#count;
  }

  /** Never throws, whatever the error is and whatever the program's functions do. */
  note(error: unknown, where: string): void {
    this.#count += 1;
    this.warnOnce(`${where}:${errorCode(error) ?? nameOf(error)}`, messageOf(error), { where });
    try {
      this.#onError?.(error, where);
    } catch (thrown) {
      this.warnOnce('onError', `onError threw: ${messageOf(thrown)}`, {});
    }
  }

  /** Warns unless a warning of this kind was given before. */
  warnOnce(kind: string, message: string, details: object): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    try {
      if (this.#logger === undefined) console.warn(`[recap] ${message}`);
      else this.#logger.warn({ ...details, kind }, message);
    } catch {
      // A logger that throws has nobody left to be told of it; the failure itself is counted above.
      this.#count += 1;
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'A value that is no error was thrown.';
}
