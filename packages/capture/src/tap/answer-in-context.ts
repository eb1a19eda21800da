import { AsyncResource } from 'node:async_hooks';
import type { HeldAnswer, Refusal } from './held-answer';

/**
 * An answer that is let go where it was given: what the program hears of it, and is asked about it, belongs to its request
 * and not to whichever other's turn it is then (`AsyncLocalStorage`).
 */
export class AnswerInContext implements HeldAnswer {
  readonly isWhole: boolean;
  readonly #answer: HeldAnswer;
  readonly #scope = new AsyncResource('RecapAnswer');

  constructor(answer: HeldAnswer) {
    this.#answer = answer;
    this.isWhole = answer.isWhole;
  }

  within<T>(work: () => T): T {
    return this.#scope.runInAsyncScope(work);
  }

  release(): void {
    this.within(() => {
      this.#answer.release();
    });
  }

  refuse(refusal: Refusal): void {
    this.within(() => {
      this.#answer.refuse(refusal);
    });
  }
}
