import { atEndOfTurn } from './at-end-of-turn';
import type { AnswerInContext } from '../tap/answer-in-context';
import type { OpenExchange } from './open-exchange';

/** In the order in which they were given. */
export type WaitingAnswers = ReadonlyMap<OpenExchange, AnswerInContext>;

/**
 * Answers that go out once their exchanges are in the spool. All that were given in one turn of the event loop share
 * a write, which costs about as much as for one of them; those for which a turn has no time wait for the next.
 */
export class SpooledAnswers {
  readonly #spool: (waiting: WaitingAnswers) => number;
  readonly #onFailure: (error: unknown, where: string) => void;
  #waiting = new Map<OpenExchange, AnswerInContext>();
  #isScheduled = false;

  /** @param spool brings what can be brought there, at least of the first, tells of how many answers, and must not throw */
  constructor(
    spool: (waiting: WaitingAnswers) => number,
    onFailure: (error: unknown, where: string) => void,
  ) {
    this.#spool = spool;
    this.#onFailure = onFailure;
  }

  hold(open: OpenExchange, answer: AnswerInContext): void {
    this.#waiting.set(open, answer);
    this.#schedule();
  }

  /** Does at once what the ends of this turn and the next ones would do. */
  release(): void {
    while (this.#waiting.size > 0) this.#releaseFirst();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#releaseFirst();
      if (this.#waiting.size > 0) this.#schedule();
    });
  }

  #releaseFirst(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const count = this.#spool(waiting);
    const ready: AnswerInContext[] = [];
    const left = new Map<OpenExchange, AnswerInContext>();
    for (const [open, answer] of waiting) {
      if (ready.length < count) ready.push(answer);
      else left.set(open, answer);
    }
    if (left.size > 0) this.#waiting = new Map([...left, ...this.#waiting]);
    for (const answer of ready) this.#letOut(answer);
  }

  /** Its exchange is over, as when the client has left. */
  drop(open: OpenExchange): void {
    if (this.#waiting.size === 0) return;
    const answer = this.#waiting.get(open);
    if (answer === undefined) return;
    this.#waiting.delete(open);
    this.#letOut(answer);
  }

  #letOut(answer: AnswerInContext): void {
    try {
      answer.release();
    } catch (error) {
      // The connection is the program's, who may have put methods of its own there.
      this.#onFailure(error, 'release');
    }
  }
}
