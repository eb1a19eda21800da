import type { Missing } from '../entries/gap';
import type { Exchange } from '../exchange';
import { lacksHeaders } from './reduce-exchange';

/** What is missing, by reason, since the recorder was made. */
export class LossCounts {
  readonly #onLoss: () => void;
  readonly #counts: Readonly<Record<Missing, Map<string, number>>> = {
    exchanges: new Map(),
    bodies: new Map(),
    headers: new Map(),
  };

  constructor(onLoss: () => void) {
    this.#onLoss = onLoss;
  }

  count(missing: Missing, reason: string, count = 1): void {
    if (count <= 0) return;
    const counts = this.#counts[missing];
    counts.set(reason, (counts.get(reason) ?? 0) + count);
    this.#onLoss();
  }

  /** Counts what `reduced` has no more of `whole`. */
  countReduced(whole: Exchange, reduced: Exchange, reason: string): void {
    if (reduced === whole) return;
    const { request, response } = reduced;
    if (request.body !== whole.request.body || response.body !== whole.response.body)
      this.count('bodies', reason);
    if (lacksHeaders(reduced)) this.count('headers', reason);
  }

  of(missing: Missing): Record<string, number> {
    return Object.fromEntries(this.#counts[missing]);
  }
}
